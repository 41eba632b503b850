import type { DeregisterEndPointsInput, DeregisterEndPointsOutput } from '@aws-sdk/client-elastic-load-balancing';
import { ServiceError } from '../../aws/service.ts';
import type { LoadBalancers } from '../model.ts';

/** One that exists but is not registered is no error; an id that is neither is. */
export const deregisterInstancesFromLoadBalancer =
  (loadBalancers: LoadBalancers) =>
  async (input: DeregisterEndPointsInput): Promise<DeregisterEndPointsOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const ids = (input.Instances ?? []).map(({ InstanceId }) => InstanceId ?? '');
    for (const id of ids) {
      if (!loadBalancer.instanceIds.has(id) && !loadBalancers.world.instances.has(id)) {
        throw new ServiceError('InvalidInstance', `Could not find EC2 instance ${id}.`);
      }
    }

    for (const id of ids) loadBalancer.instanceIds.delete(id);
    await loadBalancers.apply(loadBalancer);
    return { Instances: [...loadBalancer.instanceIds].map((InstanceId) => ({ InstanceId })) };
  };
