import type {
  SetLoadBalancerPoliciesForBackendServerInput,
  SetLoadBalancerPoliciesForBackendServerOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { checkPoliciesExist, checkPort, invalidConfiguration } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';
import { policyType } from '../policy-types.ts';

/**
 * Replaces the whole list of one instance port; an empty list removes it. No listener has to forward to the port: no
 * ListenerNotFound is modelled, and Kubernetes clears ports that have none (cloud-provider-aws, l. 1372).
 */
export const setLoadBalancerPoliciesForBackendServer =
  (loadBalancers: LoadBalancers) =>
  async (
    input: SetLoadBalancerPoliciesForBackendServerInput,
  ): Promise<SetLoadBalancerPoliciesForBackendServerOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const instancePort = input.InstancePort ?? 0;
    const names = input.PolicyNames ?? [];
    checkPort('InstancePort', instancePort);
    checkPoliciesExist(loadBalancer, names);
    for (const name of names) {
      const type = policyType(loadBalancer.policies.get(name)?.typeName ?? '');
      if (!type.isForInstancePort) throw invalidConfiguration(`${name} cannot be enabled`);
    }

    if (names.length === 0) loadBalancer.backendPolicies.delete(instancePort);
    else loadBalancer.backendPolicies.set(instancePort, [...new Set(names)]);
    await loadBalancers.apply(loadBalancer);
    return {};
  };
