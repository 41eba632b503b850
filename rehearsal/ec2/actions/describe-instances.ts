import type { DescribeInstancesRequest, DescribeInstancesResult } from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, type Instance, type World } from '../../world.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';

/** An instance that reboots stays `running`, as in EC2. */
const stateOf = (instance: Instance) =>
  instance.machine.isRunning() ? ({ Code: 16, Name: 'running' } as const) : ({ Code: 80, Name: 'stopped' } as const);

const FILTERS: FilterValues<Instance> = {
  'instance-id': (instance) => [instance.instanceId],
  'instance-state-name': (instance) => [stateOf(instance).Name],
  'private-ip-address': (instance) => [instance.privateIpAddress],
  'availability-zone': (instance) => [instance.availabilityZone],
  'tag-key': (instance) => Object.keys(instance.tags),
};

/** A reservation for each instance, as separate launches make them. */
export const describeInstances =
  (world: World) =>
  (input: DescribeInstancesRequest): DescribeInstancesResult => {
    const instances = named(world.instances, input.InstanceIds, 'instance ID', 'InvalidInstanceID.NotFound');
    const matching = filtered(instances, input.Filters, FILTERS, (instance) => instance.tags);
    const { page, nextToken } = paged(matching, input);
    return {
      Reservations: page.map((instance) => ({
        ReservationId: instance.instanceId.replace(/^i-/, 'r-'),
        OwnerId: ACCOUNT_ID,
        Instances: [
          {
            InstanceId: instance.instanceId,
            PrivateIpAddress: instance.privateIpAddress,
            Placement: { AvailabilityZone: instance.availabilityZone },
            State: stateOf(instance),
            Tags: Object.entries(instance.tags).map(([Key, Value]) => ({ Key, Value })),
          },
        ],
      })),
      NextToken: nextToken,
    };
  };
