import type { DeleteLoadBalancerInput, DeleteLoadBalancerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../../aws/service.ts';
import { isTrue } from '../attributes.ts';
import type { LoadBalancers } from '../model.ts';

/** One that does not exist is no error. Source: API reference, DeleteLoadBalancer: "the call succeeds". */
export const deleteLoadBalancer =
  (all: LoadBalancers) =>
  async (input: DeleteLoadBalancerInput): Promise<DeleteLoadBalancerOutput> => {
    const loadBalancer = all.loadBalancers.get(input.LoadBalancerArn ?? '');
    if (loadBalancer === undefined) return {};
    if (isTrue(loadBalancer.attributes, 'deletion_protection.enabled')) {
      throw new ServiceError(
        'OperationNotPermitted',
        `Load balancer '${loadBalancer.arn}' cannot be deleted because deletion protection is enabled`,
      );
    }
    await all.deleteLoadBalancer(loadBalancer);
    return {};
  };
