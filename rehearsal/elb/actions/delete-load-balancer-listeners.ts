import type {
  DeleteLoadBalancerListenerInput,
  DeleteLoadBalancerListenerOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import type { LoadBalancers } from '../model.ts';

/** A port without a listener is no error: the API models only LoadBalancerNotFound. Policies of the instance port stay. */
export const deleteLoadBalancerListeners =
  (loadBalancers: LoadBalancers) =>
  async (input: DeleteLoadBalancerListenerInput): Promise<DeleteLoadBalancerListenerOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    for (const port of input.LoadBalancerPorts ?? []) loadBalancer.listeners.delete(port);
    await loadBalancers.apply(loadBalancer);
    return {};
  };
