import type {
  DescribeEndPointStateInput,
  DescribeEndPointStateOutput,
  InstanceState,
} from '@aws-sdk/client-elastic-load-balancing';
import { instanceOf } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/** Named instances are reported even if they are not registered. The descriptions are those of the API reference. */
export const describeInstanceHealth =
  (loadBalancers: LoadBalancers) =>
  async (input: DescribeEndPointStateInput): Promise<DescribeEndPointStateOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const named = (input.Instances ?? []).map(
      ({ InstanceId }) => instanceOf(loadBalancers.world, InstanceId).instanceId,
    );
    const health = await loadBalancers.dataPlane.health(loadBalancer.name);
    // One that is draining is listed too, as the Classic guide shows it ("Configure connection draining").
    const ids = named.length > 0 ? named : [...new Set([...loadBalancer.instanceIds, ...health.keys()])];
    return {
      InstanceStates: ids.map((InstanceId): InstanceState => {
        const seen = health.get(InstanceId);
        if (seen !== undefined) {
          return { InstanceId, State: seen.state, ReasonCode: seen.reasonCode, Description: seen.description };
        }
        return loadBalancer.instanceIds.has(InstanceId)
          ? {
              InstanceId,
              State: 'OutOfService',
              ReasonCode: 'ELB',
              Description: 'Instance registration is still in progress.',
            }
          : {
              InstanceId,
              State: 'OutOfService',
              ReasonCode: 'Instance',
              Description: 'Instance is not currently registered with the LoadBalancer.',
            };
      }),
    };
  };
