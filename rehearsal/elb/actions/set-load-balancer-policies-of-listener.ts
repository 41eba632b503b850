import type {
  SetLoadBalancerPoliciesOfListenerInput,
  SetLoadBalancerPoliciesOfListenerOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { checkPoliciesExist, invalidConfiguration, listenerOf } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/** None of the policy types of the rehearsal is a listener's. The words are AWS's (aws/aws-cli#2021, fog/fog-aws#193). */
export const setLoadBalancerPoliciesOfListener =
  (loadBalancers: LoadBalancers) =>
  (input: SetLoadBalancerPoliciesOfListenerInput): SetLoadBalancerPoliciesOfListenerOutput => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const listener = listenerOf(loadBalancer, input.LoadBalancerPort ?? 0);
    const names = input.PolicyNames ?? [];
    checkPoliciesExist(loadBalancer, names);
    const [first] = names;
    if (first !== undefined) throw invalidConfiguration(`${first} cannot be enabled`);
    listener.policyNames = [];
    return {};
  };
