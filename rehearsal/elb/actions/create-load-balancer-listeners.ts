import type {
  CreateLoadBalancerListenerInput,
  CreateLoadBalancerListenerOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { checkNotDuplicate, checkSharedInstancePort, parseListener } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/** All or none of them. A new listener on an instance port that has policies is under them from its first connection. */
export const createLoadBalancerListeners =
  (loadBalancers: LoadBalancers) =>
  async (input: CreateLoadBalancerListenerInput): Promise<CreateLoadBalancerListenerOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const listeners = new Map(loadBalancer.listeners);
    for (const each of input.Listeners ?? []) {
      const listener = parseListener(each);
      checkNotDuplicate(listener, listeners.values());
      checkSharedInstancePort(listener, listeners.values());
      if (!listeners.has(listener.loadBalancerPort)) listeners.set(listener.loadBalancerPort, listener);
    }

    for (const [port, listener] of listeners) loadBalancer.listeners.set(port, listener);
    await loadBalancers.apply(loadBalancer);
    return {};
  };
