import type {
  AutoScalingGroup,
  AutoScalingGroupNamesType,
  AutoScalingGroupsType,
  CreateAutoScalingGroupType,
  DeleteAutoScalingGroupType,
  SetDesiredCapacityType,
  UpdateAutoScalingGroupType,
} from '@aws-sdk/client-auto-scaling';
import type { World } from '../../world.ts';
import type { Group, GroupSettings, Groups, GroupTag } from '../groups.ts';
import { paged } from '../paging.ts';
import { refuseOthers, validationError } from '../refuse.ts';

const SETTINGS = [
  'AutoScalingGroupName',
  'MinSize',
  'MaxSize',
  'DesiredCapacity',
  'LaunchTemplate',
  'VPCZoneIdentifier',
  'HealthCheckType',
  'HealthCheckGracePeriod',
  'DefaultCooldown',
];

export const groupActions = (groups: Groups, world: World) => ({
  CreateAutoScalingGroup(input: CreateAutoScalingGroupType): Record<string, never> {
    refuseOthers(input, [...SETTINGS, 'LoadBalancerNames', 'TargetGroupARNs', 'Tags']);
    const name = input.AutoScalingGroupName ?? '';
    if (!/^[^:]{1,255}$/.test(name))
      throw validationError(`Group name '${name}' must be 1 to 255 characters without a colon`);
    const tags = (input.Tags ?? []).map(
      ({ Key = '', Value = '', PropagateAtLaunch }): GroupTag => ({
        key: Key,
        value: Value,
        isPropagated: PropagateAtLaunch === true,
      }),
    );
    const sources = {
      loadBalancerNames: input.LoadBalancerNames ?? [],
      targetGroupArns: input.TargetGroupARNs ?? [],
    };
    groups.create(name, settingsOf(input, undefined, world), sources, tags);
    return {};
  },
  /** What is not given stays. */
  UpdateAutoScalingGroup(input: UpdateAutoScalingGroupType): Record<string, never> {
    refuseOthers(input, SETTINGS);
    const group = groups.get(input.AutoScalingGroupName);
    group.settings = settingsOf(input, group.settings, world);
    groups.reconcile(
      group,
      `At ${new Date().toISOString()} a user request update of AutoScalingGroup constraints to min: ${group.settings.minSize}, max: ${group.settings.maxSize}, desired: ${group.settings.desiredCapacity}.`,
    );
    return {};
  },
  /** HonorCooldown has nothing to honour: no policy scales here. */
  SetDesiredCapacity(input: SetDesiredCapacityType): Record<string, never> {
    refuseOthers(input, ['AutoScalingGroupName', 'DesiredCapacity', 'HonorCooldown']);
    const group = groups.get(input.AutoScalingGroupName);
    const before = group.settings.desiredCapacity;
    const desiredCapacity = input.DesiredCapacity ?? before;
    const { minSize, maxSize } = group.settings;
    if (desiredCapacity < minSize) {
      throw validationError(
        `New SetDesiredCapacity value ${desiredCapacity} is below min value ${minSize} for the AutoScalingGroup.`,
      );
    }
    if (desiredCapacity > maxSize) {
      throw validationError(
        `New SetDesiredCapacity value ${desiredCapacity} is above max value ${maxSize} for the AutoScalingGroup.`,
      );
    }
    group.settings = { ...group.settings, desiredCapacity };
    groups.reconcile(
      group,
      `At ${new Date().toISOString()} a user request explicitly set group desired capacity changing the desired capacity from ${before} to ${desiredCapacity}.`,
    );
    return {};
  },
  /** With ForceDelete AWS ends the instances itself; here nobody asks for that. */
  DeleteAutoScalingGroup(input: DeleteAutoScalingGroupType): Record<string, never> {
    refuseOthers(input, ['AutoScalingGroupName']);
    groups.delete(groups.get(input.AutoScalingGroupName));
    return {};
  },
  /** Names that do not exist are passed over, as AWS does. */
  DescribeAutoScalingGroups(input: AutoScalingGroupNamesType): AutoScalingGroupsType {
    refuseOthers(input, ['AutoScalingGroupNames', 'MaxRecords', 'NextToken']);
    const names = input.AutoScalingGroupNames ?? [];
    const wanted = groups.all().filter(({ name }) => names.length === 0 || names.includes(name));
    const { page, nextToken } = paged(wanted, input);
    return { AutoScalingGroups: page.map((group) => describe(group, world)), NextToken: nextToken };
  },
});

/** @throws ServiceError ValidationError */
function settingsOf(input: UpdateAutoScalingGroupType, before: GroupSettings | undefined, world: World): GroupSettings {
  const minSize = input.MinSize ?? before?.minSize ?? 0;
  const maxSize = input.MaxSize ?? before?.maxSize ?? 0;
  if (minSize > maxSize)
    throw validationError(`Min bound, ${minSize}, must be less than or equal to max bound, ${maxSize}`);
  // Without a desired capacity a new group begins with its least; one that is there is moved into its new bounds.
  const wanted = input.DesiredCapacity ?? before?.desiredCapacity ?? minSize;
  if (input.DesiredCapacity !== undefined && (wanted < minSize || wanted > maxSize)) {
    throw validationError(
      `Desired capacity:${wanted} must be between the specified min size:${minSize} and max size:${maxSize}`,
    );
  }
  const subnetIds = input.VPCZoneIdentifier?.split(',').map((id) => id.trim()) ?? before?.subnetIds ?? [];
  for (const id of subnetIds) {
    if (!world.subnets.has(id)) throw validationError(`The subnet ID '${id}' does not exist`);
  }
  if (subnetIds.length === 0) throw validationError('At least one Availability Zone or VPC Subnet is required.');
  const launchTemplateId = input.LaunchTemplate?.LaunchTemplateId ?? before?.launchTemplateId;
  if (launchTemplateId === undefined) {
    throw validationError(
      'Valid requests must contain LaunchTemplate with LaunchTemplateId: the rehearsal launches from nothing else',
    );
  }
  const healthCheckType = input.HealthCheckType ?? before?.healthCheckType ?? 'EC2';
  if (healthCheckType !== 'EC2' && healthCheckType !== 'ELB') {
    throw validationError(`HealthCheckType ${healthCheckType} is not supported by the rehearsal: EC2 or ELB`);
  }
  return {
    minSize,
    maxSize,
    desiredCapacity: Math.min(Math.max(wanted, minSize), maxSize),
    launchTemplateId,
    launchTemplateVersion: input.LaunchTemplate?.Version ?? before?.launchTemplateVersion ?? '$Default',
    subnetIds,
    healthCheckType,
    healthCheckGracePeriodSeconds: input.HealthCheckGracePeriod ?? before?.healthCheckGracePeriodSeconds ?? 0,
    defaultCooldownSeconds: input.DefaultCooldown ?? before?.defaultCooldownSeconds ?? 300,
  };
}

function describe(group: Group, world: World): AutoScalingGroup {
  const { settings } = group;
  const zones = settings.subnetIds.map((id) => world.subnets.get(id)?.availabilityZone ?? '');
  return {
    AutoScalingGroupName: group.name,
    AutoScalingGroupARN: group.arn,
    CreatedTime: group.createdAt,
    MinSize: settings.minSize,
    MaxSize: settings.maxSize,
    DesiredCapacity: settings.desiredCapacity,
    DefaultCooldown: settings.defaultCooldownSeconds,
    HealthCheckType: settings.healthCheckType,
    HealthCheckGracePeriod: settings.healthCheckGracePeriodSeconds,
    LaunchTemplate: { LaunchTemplateId: settings.launchTemplateId, Version: settings.launchTemplateVersion },
    VPCZoneIdentifier: settings.subnetIds.join(','),
    AvailabilityZones: [...new Set(zones)],
    LoadBalancerNames: [...group.loadBalancerNames],
    TargetGroupARNs: [...group.targetGroupArns],
    TerminationPolicies: ['Default'],
    NewInstancesProtectedFromScaleIn: false,
    Instances: [...group.instances.values()].map((instance) => ({
      InstanceId: instance.instanceId,
      AvailabilityZone: instance.availabilityZone,
      LifecycleState: instance.lifecycleState,
      HealthStatus: instance.isHealthy ? 'Healthy' : 'Unhealthy',
      ProtectedFromScaleIn: false,
      LaunchTemplate: { LaunchTemplateId: settings.launchTemplateId, Version: instance.launchTemplateVersion },
    })),
    Tags: group.tags.map(({ key, value, isPropagated }) => ({
      ResourceId: group.name,
      ResourceType: 'auto-scaling-group',
      Key: key,
      Value: value,
      PropagateAtLaunch: isPropagated,
    })),
  };
}
