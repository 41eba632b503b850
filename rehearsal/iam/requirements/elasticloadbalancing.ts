/** Service Authorization Reference, AWS Elastic Load Balancing (Classic). */
import { alike, anywhere, arn } from './arn.ts';
import type { Requirements } from './index.ts';

const loadBalancer = (name: string): string => arn('elasticloadbalancing', `loadbalancer/${name}`);

export const elasticloadbalancing: Requirements = {
  ...alike(
    'elasticloadbalancing',
    [
      'DescribeInstanceHealth',
      'DescribeLoadBalancerAttributes',
      'DescribeLoadBalancerPolicies',
      'DescribeLoadBalancerPolicyTypes',
      'DescribeLoadBalancers',
      'DescribeTags',
    ],
    anywhere,
  ),
  ...alike<{ LoadBalancerName: string }>(
    'elasticloadbalancing',
    [
      'ConfigureHealthCheck',
      'CreateLoadBalancer',
      'CreateLoadBalancerListeners',
      'CreateLoadBalancerPolicy',
      'DeleteLoadBalancer',
      'DeleteLoadBalancerListeners',
      'DeleteLoadBalancerPolicy',
      'DeregisterInstancesFromLoadBalancer',
      'ModifyLoadBalancerAttributes',
      'RegisterInstancesWithLoadBalancer',
      'SetLoadBalancerPoliciesForBackendServer',
      'SetLoadBalancerPoliciesOfListener',
    ],
    ({ LoadBalancerName }) => loadBalancer(LoadBalancerName),
  ),
  AddTags: ({ LoadBalancerNames }) => tagging('AddTags', LoadBalancerNames),
  RemoveTags: ({ LoadBalancerNames }) => tagging('RemoveTags', LoadBalancerNames),
};

function tagging(action: string, names: readonly string[]) {
  return names.map((name) => ({ action: `elasticloadbalancing:${action}`, resource: loadBalancer(name) }));
}
