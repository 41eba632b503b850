import type {
  ActivitiesType,
  ActivityType,
  AutoScalingInstancesType,
  DescribeAutoScalingInstancesType,
  DescribeLifecycleHooksAnswer,
  DescribeLifecycleHooksType,
  DescribeScalingActivitiesType,
  TerminateInstanceInAutoScalingGroupType,
} from '@aws-sdk/client-auto-scaling';
import type { Activity, Group, Groups } from '../groups.ts';
import { paged } from '../paging.ts';
import { refuseOthers, validationError } from '../refuse.ts';

export const instanceActions = (groups: Groups) => ({
  /** Drained as on a scale-in; with ShouldDecrementDesiredCapacity none takes its place. */
  TerminateInstanceInAutoScalingGroup(input: TerminateInstanceInAutoScalingGroupType): ActivityType {
    refuseOthers(input, ['InstanceId', 'ShouldDecrementDesiredCapacity']);
    const group = groups.all().find(({ instances }) => instances.has(input.InstanceId ?? ''));
    const instance = group?.instances.get(input.InstanceId ?? '');
    if (group === undefined || instance === undefined) {
      throw validationError(`Instance Id not found - No managed instance found for instance ID: ${input.InstanceId}`);
    }
    const { settings } = group;
    if (input.ShouldDecrementDesiredCapacity === true) {
      if (settings.desiredCapacity - 1 < settings.minSize) {
        throw validationError(
          `Currently, desiredSize equals minSize (${settings.minSize}). Terminating instance without replacement will violate group's min size constraint. Either set shouldDecrementDesiredCapacity flag to false or lower group's min size.`,
        );
      }
      group.settings = { ...settings, desiredCapacity: settings.desiredCapacity - 1 };
    }
    if (instance.lifecycleState !== 'Terminating') {
      groups.endInstance(
        group,
        instance,
        `At ${new Date().toISOString()} instance ${instance.instanceId} was taken out of service in response to a user request.`,
      );
    }
    const [activity] = group.activities.filter(({ description }) => description.endsWith(instance.instanceId));
    return { Activity: activity === undefined ? undefined : describeActivity(group, activity) };
  },
  DescribeAutoScalingInstances(input: DescribeAutoScalingInstancesType): AutoScalingInstancesType {
    refuseOthers(input, ['InstanceIds', 'MaxRecords', 'NextToken']);
    const ids = input.InstanceIds ?? [];
    const all = groups.all().flatMap((group) => [...group.instances.values()].map((instance) => ({ group, instance })));
    const { page, nextToken } = paged(
      all.filter(({ instance }) => ids.length === 0 || ids.includes(instance.instanceId)),
      input,
    );
    return {
      AutoScalingInstances: page.map(({ group, instance }) => ({
        InstanceId: instance.instanceId,
        AutoScalingGroupName: group.name,
        AvailabilityZone: instance.availabilityZone,
        LifecycleState: instance.lifecycleState,
        HealthStatus: instance.isHealthy ? 'HEALTHY' : 'UNHEALTHY',
        ProtectedFromScaleIn: false,
        LaunchTemplate: { LaunchTemplateId: group.settings.launchTemplateId, Version: instance.launchTemplateVersion },
      })),
      NextToken: nextToken,
    };
  },
  DescribeScalingActivities(input: DescribeScalingActivitiesType): ActivitiesType {
    refuseOthers(input, ['AutoScalingGroupName', 'MaxRecords', 'NextToken']);
    const wanted = input.AutoScalingGroupName === undefined ? groups.all() : [groups.get(input.AutoScalingGroupName)];
    const all = wanted.flatMap((group) => group.activities.map((activity) => ({ group, activity })));
    const { page, nextToken } = paged(all, input);
    return { Activities: page.map(({ group, activity }) => describeActivity(group, activity)), NextToken: nextToken };
  },
  /** None: PutLifecycleHook is not in the rehearsal. */
  DescribeLifecycleHooks(input: DescribeLifecycleHooksType): DescribeLifecycleHooksAnswer {
    refuseOthers(input, ['AutoScalingGroupName', 'LifecycleHookNames']);
    groups.get(input.AutoScalingGroupName);
    return { LifecycleHooks: [] };
  },
});

const describeActivity = (group: Group, activity: Activity): NonNullable<ActivityType['Activity']> => ({
  ActivityId: activity.activityId,
  AutoScalingGroupName: group.name,
  AutoScalingGroupARN: group.arn,
  Description: activity.description,
  Cause: activity.cause,
  StartTime: activity.startedAt,
  EndTime: activity.endedAt,
  StatusCode: activity.status,
  StatusMessage: activity.statusMessage,
  Progress: activity.status === 'InProgress' ? 0 : 100,
});
