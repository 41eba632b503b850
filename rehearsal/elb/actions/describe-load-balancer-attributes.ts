import type {
  DescribeLoadBalancerAttributesInput,
  DescribeLoadBalancerAttributesOutput,
  LoadBalancerAttributes,
} from '@aws-sdk/client-elastic-load-balancing';
import type { Attributes, LoadBalancers } from '../model.ts';

export const describeLoadBalancerAttributes =
  (loadBalancers: LoadBalancers) =>
  (input: DescribeLoadBalancerAttributesInput): DescribeLoadBalancerAttributesOutput => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    return { LoadBalancerAttributes: describeAttributes(loadBalancer.attributes) };
  };

export function describeAttributes(attributes: Attributes): LoadBalancerAttributes {
  return {
    CrossZoneLoadBalancing: { Enabled: attributes.isCrossZone },
    AccessLog: { Enabled: false },
    ConnectionDraining: { Enabled: attributes.isDrainingEnabled, Timeout: attributes.drainingSeconds },
    ConnectionSettings: { IdleTimeout: attributes.idleTimeoutSeconds },
  };
}
