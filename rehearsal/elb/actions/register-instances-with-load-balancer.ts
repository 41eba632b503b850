import type { RegisterEndPointsInput, RegisterEndPointsOutput } from '@aws-sdk/client-elastic-load-balancing';
import { instanceOf } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

export const registerInstancesWithLoadBalancer =
  (loadBalancers: LoadBalancers) =>
  async (input: RegisterEndPointsInput): Promise<RegisterEndPointsOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const instances = (input.Instances ?? []).map(({ InstanceId }) => instanceOf(loadBalancers.world, InstanceId));

    for (const { instanceId } of instances) loadBalancer.instanceIds.add(instanceId);
    await loadBalancers.apply(loadBalancer);
    return { Instances: [...loadBalancer.instanceIds].map((InstanceId) => ({ InstanceId })) };
  };
