/** Service Authorization Reference, Amazon EC2 Auto Scaling: its Describe actions know no resource. */
import { alike, anywhere, arn } from './arn.ts';
import type { Requirements } from './index.ts';

export const autoscaling: Requirements = {
  ...alike(
    'autoscaling',
    [
      'DescribeAutoScalingGroups',
      'DescribeAutoScalingInstances',
      'DescribeLifecycleHooks',
      'DescribeLoadBalancerTargetGroups',
      'DescribeLoadBalancers',
      'DescribeScalingActivities',
    ],
    anywhere,
  ),
  // The id in a group's ARN is not in the input: a policy has to have a wildcard there.
  ...alike<{ AutoScalingGroupName: string }>(
    'autoscaling',
    ['AttachLoadBalancerTargetGroups', 'AttachLoadBalancers', 'DetachLoadBalancerTargetGroups', 'DetachLoadBalancers'],
    ({ AutoScalingGroupName }) => arn('autoscaling', `autoScalingGroup:*:autoScalingGroupName/${AutoScalingGroupName}`),
  ),
};
