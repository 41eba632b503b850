/** Service Authorization Reference, Amazon EC2: its Describe actions know no resource. */
import { alike, anywhere } from './arn.ts';
import type { Requirements } from './index.ts';

export const ec2: Requirements = alike(
  'ec2',
  ['DescribeInstances', 'DescribeNetworkInterfaces', 'DescribeSecurityGroups', 'DescribeSubnets'],
  anywhere,
);
