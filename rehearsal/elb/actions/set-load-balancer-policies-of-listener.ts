import type {
  SetLoadBalancerPoliciesOfListenerInput,
  SetLoadBalancerPoliciesOfListenerOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { checkPoliciesExist, invalidConfiguration, listenerOf } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';
import { policyType } from '../policy-types.ts';

/** Replaces the whole list. The words are AWS's (aws/aws-cli#2021, fog/fog-aws#193). */
export const setLoadBalancerPoliciesOfListener =
  (loadBalancers: LoadBalancers) =>
  (input: SetLoadBalancerPoliciesOfListenerInput): SetLoadBalancerPoliciesOfListenerOutput => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const listener = listenerOf(loadBalancer, input.LoadBalancerPort ?? 0);
    const names = input.PolicyNames ?? [];
    checkPoliciesExist(loadBalancer, names);
    const refused = names.find((name) => !policyType(loadBalancer.policies.get(name)?.typeName ?? '').isForListener);
    if (refused !== undefined) throw invalidConfiguration(`${refused} cannot be enabled`);
    listener.policyNames = names;
    return {};
  };
