/** Auto Scaling's lifecycle hooks: what keeps an instance that is launched from connections until its receiver is ready. */
import {
  type AutoScalingClient,
  DescribeAutoScalingInstancesCommand,
  DescribeLifecycleHooksCommand,
} from '@aws-sdk/client-auto-scaling';
import { messageOf } from '../shared/errors.ts';

export interface ScalingGroup {
  readonly name: string;
  /** It has a hook for `autoscaling:EC2_INSTANCE_LAUNCHING`. */
  readonly hasLaunchHook: boolean;
}

const LAUNCHING = 'autoscaling:EC2_INSTANCE_LAUNCHING';
/** API reference, DescribeAutoScalingInstances: "up to 50 instances". */
const INSTANCES_A_CALL = 50;

/**
 * The groups that the instances are of.
 *
 * @returns  by name; or why they could not be looked up, since nothing but a warning depends on it
 */
export async function describeScalingGroups(
  autoScaling: AutoScalingClient,
  instanceIds: readonly string[],
): Promise<readonly ScalingGroup[] | { readonly unknown: string }> {
  try {
    const names = new Set<string>();
    for (let start = 0; start < instanceIds.length; start += INSTANCES_A_CALL) {
      const { AutoScalingInstances = [] } = await autoScaling.send(
        new DescribeAutoScalingInstancesCommand({ InstanceIds: instanceIds.slice(start, start + INSTANCES_A_CALL) }),
      );
      for (const each of AutoScalingInstances) names.add(each.AutoScalingGroupName ?? '');
    }
    const groups: ScalingGroup[] = [];
    for (const name of [...names].sort()) {
      const { LifecycleHooks = [] } = await autoScaling.send(
        new DescribeLifecycleHooksCommand({ AutoScalingGroupName: name }),
      );
      groups.push({ name, hasLaunchHook: LifecycleHooks.some((hook) => hook.LifecycleTransition === LAUNCHING) });
    }
    return groups;
  } catch (error) {
    return { unknown: messageOf(error) };
  }
}
