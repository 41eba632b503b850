/** Service Authorization Reference, Amazon EC2 Auto Scaling: its Describe actions know no resource. */
import { alike, anywhere } from './arn.ts';
import type { Requirements } from './index.ts';

export const autoscaling: Requirements = alike(
  'autoscaling',
  ['DescribeAutoScalingGroups', 'DescribeAutoScalingInstances', 'DescribeLifecycleHooks', 'DescribeScalingActivities'],
  anywhere,
);
