import type {
  DeleteLoadBalancerPolicyInput,
  DeleteLoadBalancerPolicyOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { invalidConfiguration } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/**
 * A policy that does not exist is no error (no PolicyNotFound is modelled). One in use is: the API reference says so of
 * listeners alone; that instance ports count too is assumed, as every known client detaches it there first.
 */
export const deleteLoadBalancerPolicy =
  (loadBalancers: LoadBalancers) =>
  (input: DeleteLoadBalancerPolicyInput): DeleteLoadBalancerPolicyOutput => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const name = input.PolicyName ?? '';
    const used = [
      ...[...loadBalancer.listeners.values()].map((listener) => listener.policyNames),
      ...loadBalancer.backendPolicies.values(),
    ].some((names) => names.includes(name));
    if (used) throw invalidConfiguration(`Policy ${name} is in use`);
    loadBalancer.policies.delete(name);
    return {};
  };
