import type {
  DescribeTargetGroupAttributesInput,
  DescribeTargetGroupAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { described } from '../attributes.ts';
import type { LoadBalancers } from '../model.ts';

export const describeTargetGroupAttributes =
  (all: LoadBalancers) =>
  (input: DescribeTargetGroupAttributesInput): DescribeTargetGroupAttributesOutput => ({
    Attributes: described(all.targetGroup(input.TargetGroupArn).attributes),
  });
