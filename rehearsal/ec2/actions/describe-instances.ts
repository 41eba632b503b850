import type {
  DescribeInstancesRequest,
  DescribeInstancesResult,
  Instance as InstanceAnswer,
} from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, type Instance, type World } from '../../world.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { tagList } from '../items.ts';
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
  'subnet-id': ({ launch }) => (launch === undefined ? [] : [launch.subnetId]),
  'instance.group-id': ({ launch }) => launch?.securityGroupIds ?? [],
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
        Instances: [describeInstance(instance, world)],
      })),
      NextToken: nextToken,
    };
  };

export const describeInstance = (instance: Instance, world: World): InstanceAnswer => {
  const { instanceId, privateIpAddress, availabilityZone, tags, launch } = instance;
  return {
    InstanceId: instanceId,
    PrivateIpAddress: privateIpAddress,
    Placement: { AvailabilityZone: availabilityZone },
    State: stateOf(instance),
    Tags: tagList(tags),
    ...(launch !== undefined && {
      ImageId: launch.imageId,
      InstanceType: launch.instanceType as NonNullable<InstanceAnswer['InstanceType']>,
      LaunchTime: launch.launchedAt,
      SubnetId: launch.subnetId,
      VpcId: world.subnets.get(launch.subnetId)?.vpcId,
      SecurityGroups: launch.securityGroupIds.map((GroupId) => ({
        GroupId,
        GroupName: world.securityGroups.get(GroupId)?.groupName,
      })),
      ...(launch.iamInstanceProfileArn !== undefined && { IamInstanceProfile: { Arn: launch.iamInstanceProfileArn } }),
    }),
  };
};
