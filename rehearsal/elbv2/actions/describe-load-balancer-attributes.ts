import type {
  DescribeLoadBalancerAttributesInput,
  DescribeLoadBalancerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { described } from '../attributes.ts';
import type { LoadBalancers } from '../model.ts';

export const describeLoadBalancerAttributes =
  (all: LoadBalancers) =>
  (input: DescribeLoadBalancerAttributesInput): DescribeLoadBalancerAttributesOutput => ({
    Attributes: described(all.loadBalancer(input.LoadBalancerArn).attributes),
  });
