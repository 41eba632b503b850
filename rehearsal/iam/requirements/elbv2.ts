/**
 * Service Authorization Reference, AWS Elastic Load Balancing V2. Its actions have the Classic API's prefix, so a policy that names
 * DescribeLoadBalancers allows both.
 */
import { alike, anywhere, arn } from './arn.ts';
import type { Requirements } from './index.ts';

const PREFIX = 'elasticloadbalancing';

export const elbv2: Requirements = {
  ...alike(
    PREFIX,
    [
      'DescribeListeners',
      'DescribeLoadBalancerAttributes',
      'DescribeLoadBalancers',
      'DescribeRules',
      'DescribeTags',
      'DescribeTargetGroupAttributes',
      'DescribeTargetGroups',
      'DescribeTargetHealth',
    ],
    anywhere,
  ),
  ...alike<{ LoadBalancerArn: string }>(
    PREFIX,
    ['CreateListener', 'DeleteLoadBalancer', 'ModifyLoadBalancerAttributes', 'SetSecurityGroups'],
    ({ LoadBalancerArn }) => LoadBalancerArn,
  ),
  ...alike<{ TargetGroupArn: string }>(
    PREFIX,
    ['DeleteTargetGroup', 'DeregisterTargets', 'ModifyTargetGroup', 'ModifyTargetGroupAttributes', 'RegisterTargets'],
    ({ TargetGroupArn }) => TargetGroupArn,
  ),
  ...alike<{ ListenerArn: string }>(
    PREFIX,
    ['CreateRule', 'DeleteListener', 'ModifyListener'],
    ({ ListenerArn }) => ListenerArn,
  ),
  ...alike<{ RuleArn: string }>(PREFIX, ['DeleteRule', 'ModifyRule'], ({ RuleArn }) => RuleArn),
  // What is being made has no id yet.
  ...alike<{ Name: string }>(PREFIX, ['CreateLoadBalancer'], ({ Name }) => arn(PREFIX, `loadbalancer/app/${Name}/*`)),
  ...alike<{ Name: string }>(PREFIX, ['CreateTargetGroup'], ({ Name }) => arn(PREFIX, `targetgroup/${Name}/*`)),
  SetRulePriorities: ({ RulePriorities }: { RulePriorities: readonly { RuleArn: string }[] }) =>
    RulePriorities.map(({ RuleArn }) => ({ action: `${PREFIX}:SetRulePriorities`, resource: RuleArn })),
  AddTags: ({ ResourceArns }) => tagging('AddTags', ResourceArns),
  RemoveTags: ({ ResourceArns }) => tagging('RemoveTags', ResourceArns),
};

function tagging(action: string, arns: readonly string[]) {
  return arns.map((resource) => ({ action: `${PREFIX}:${action}`, resource }));
}
