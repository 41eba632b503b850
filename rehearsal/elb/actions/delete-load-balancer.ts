import type { DeleteAccessPointInput, DeleteAccessPointOutput } from '@aws-sdk/client-elastic-load-balancing';
import type { LoadBalancers } from '../model.ts';

/** One that does not exist is no error. Source: API reference, DeleteLoadBalancer: "the call … still succeeds". */
export const deleteLoadBalancer =
  (loadBalancers: LoadBalancers) =>
  async (input: DeleteAccessPointInput): Promise<DeleteAccessPointOutput> => {
    await loadBalancers.delete(input.LoadBalancerName ?? '');
    return {};
  };
