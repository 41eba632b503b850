/**
 * Auto Scaling groups: each launches and ends instances until there are as many as it is to have, through the actions of EC2 and of the
 * load balancers that clients use.
 *
 *   launched    RunInstances → Pending → RegisterInstancesWithLoadBalancer → InService
 *   ended       Terminating → DeregisterInstancesFromLoadBalancer → until it is drained → TerminateInstances
 *
 * Source: EC2 Auto Scaling user guide, "Instance lifecycle", "Attach a load balancer" (an instance is deregistered first, and draining is
 * waited for), "Default termination policy".
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION, type World } from '../world.ts';

export interface GroupTag {
  readonly key: string;
  readonly value: string;
  readonly isPropagated: boolean;
}

export interface GroupSettings {
  readonly minSize: number;
  readonly maxSize: number;
  readonly desiredCapacity: number;
  readonly launchTemplateId: string;
  /** A number, `$Latest` or `$Default`. */
  readonly launchTemplateVersion: string;
  readonly subnetIds: readonly string[];
  readonly healthCheckType: string;
  readonly healthCheckGracePeriodSeconds: number;
  readonly defaultCooldownSeconds: number;
}

export type LifecycleState = 'Pending' | 'InService' | 'Terminating';

export interface GroupInstance {
  readonly instanceId: string;
  readonly availabilityZone: string;
  readonly subnetId: string;
  readonly launchTemplateVersion: string;
  readonly launchedAt: Date;
  lifecycleState: LifecycleState;
}

export interface Activity {
  readonly activityId: string;
  readonly description: string;
  readonly cause: string;
  readonly startedAt: Date;
  endedAt: Date | undefined;
  status: 'InProgress' | 'Successful' | 'Failed';
  statusMessage: string | undefined;
}

export interface Group {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  readonly loadBalancerNames: readonly string[];
  tags: readonly GroupTag[];
  settings: GroupSettings;
  readonly instances: Map<string, GroupInstance>;
  /** How many are being launched, by subnet. */
  readonly launching: Map<string, number>;
  /** Newest first. */
  readonly activities: Activity[];
  /** After a launch that failed, none is tried before this. Milliseconds since the epoch. */
  notBefore: number;
}

export interface GroupsOptions {
  readonly world: World;
  /** Through the actions that clients use. */
  readonly call: (signingName: string, action: string, input: unknown) => Promise<unknown>;
}

const WATCH_MS = 500;
const RETRY_MS = 5_000;
const DRAIN_POLL_MS = 250;

export class Groups {
  readonly #options: GroupsOptions;
  readonly #groups = new Map<string, Group>();
  readonly #underWay = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: GroupsOptions) {
    this.#options = options;
  }

  /** @throws ServiceError AlreadyExists */
  create(
    name: string,
    settings: GroupSettings,
    loadBalancerNames: readonly string[],
    tags: readonly GroupTag[],
  ): Group {
    if (this.#groups.has(name)) {
      throw new ServiceError(
        'AlreadyExists',
        `AutoScalingGroup by this name already exists - A group with the name ${name} already exists`,
      );
    }
    const group: Group = {
      name,
      arn: `arn:aws:autoscaling:${REGION}:${ACCOUNT_ID}:autoScalingGroup:${randomUUID()}:autoScalingGroupName/${name}`,
      createdAt: new Date(),
      loadBalancerNames,
      tags,
      settings,
      instances: new Map(),
      launching: new Map(),
      activities: [],
      notBefore: 0,
    };
    this.#groups.set(name, group);
    this.#timer ??= setInterval(() => this.#watch(), WATCH_MS).unref();
    this.reconcile(
      group,
      `At ${group.createdAt.toISOString()} a user request created an AutoScalingGroup changing the desired capacity from 0 to ${settings.desiredCapacity}.`,
    );
    return group;
  }

  /** @throws ServiceError ValidationError */
  get(name: string | undefined): Group {
    const group = this.#groups.get(name ?? '');
    if (group === undefined) throw new ServiceError('ValidationError', `AutoScalingGroup name not found - null`);
    return group;
  }

  all(): readonly Group[] {
    return [...this.#groups.values()];
  }

  /** @throws ServiceError ResourceInUse  it has instances */
  delete(group: Group): void {
    if (group.instances.size > 0 || sum(group.launching) > 0) {
      throw new ServiceError(
        'ResourceInUse',
        'You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) still in the group.',
      );
    }
    this.#groups.delete(group.name);
  }

  /** Begin whatever is missing to what the group is to be; what is under way already is not begun again. */
  reconcile(group: Group, cause: string): void {
    if (this.#closed || this.#groups.get(group.name) !== group) return;
    const { desiredCapacity } = group.settings;
    const staying = [...group.instances.values()].filter(({ lifecycleState }) => lifecycleState !== 'Terminating');
    const missing = desiredCapacity - staying.length - sum(group.launching);
    if (missing > 0 && Date.now() >= group.notBefore) {
      for (let index = 0; index < missing; index++) this.#begin(this.#launch(group, emptiestSubnet(group), cause));
    }
    const ready = staying.filter(({ lifecycleState }) => lifecycleState === 'InService');
    for (const instance of chooseToEnd(ready, staying.length + sum(group.launching) - desiredCapacity)) {
      this.#begin(this.#end(group, instance, cause));
    }
  }

  /** Ended as on a scale-in, and replaced where the group is still to have as many. */
  endInstance(group: Group, instance: GroupInstance, cause: string): void {
    this.#begin(this.#end(group, instance, cause));
    this.reconcile(group, cause);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** Instances that have gone without the group, and launches that have failed, are made good. */
  #watch(): void {
    for (const group of this.#groups.values()) {
      for (const { instanceId, lifecycleState } of group.instances.values()) {
        if (lifecycleState === 'InService' && !this.#options.world.instances.has(instanceId))
          group.instances.delete(instanceId);
      }
      this.reconcile(
        group,
        `At ${new Date().toISOString()} an instance was started in response to a difference between desired and actual capacity.`,
      );
    }
  }

  #begin(work: Promise<void>): void {
    this.#underWay.add(work);
    work.finally(() => this.#underWay.delete(work)).catch(() => {});
  }

  async #launch(group: Group, subnetId: string, cause: string): Promise<void> {
    const activity = note(group, 'Launching a new EC2 instance', cause);
    try {
      const instance = await this.#run(group, subnetId);
      for (const LoadBalancerName of group.loadBalancerNames) {
        await this.#options.call('elasticloadbalancing', 'RegisterInstancesWithLoadBalancer', {
          LoadBalancerName,
          Instances: [{ InstanceId: instance.instanceId }],
        });
      }
      instance.lifecycleState = 'InService';
      end(activity, 'Successful', undefined);
      // It may have become one too many meanwhile.
      this.reconcile(group, cause);
    } catch (error) {
      group.notBefore = Date.now() + RETRY_MS;
      end(activity, 'Failed', `${(error as Error).message} Launching EC2 instance failed.`);
    }
  }

  async #run(group: Group, subnetId: string): Promise<GroupInstance> {
    const { launchTemplateId, launchTemplateVersion } = group.settings;
    const propagated = group.tags.filter(({ isPropagated }) => isPropagated);
    const count = (by: number): void => void group.launching.set(subnetId, (group.launching.get(subnetId) ?? 0) + by);
    count(1);
    try {
      const { Instances } = (await this.#options.call('ec2', 'RunInstances', {
        MinCount: 1,
        MaxCount: 1,
        SubnetId: subnetId,
        LaunchTemplate: { LaunchTemplateId: launchTemplateId, Version: launchTemplateVersion },
        TagSpecifications: [
          {
            ResourceType: 'instance',
            Tags: [
              ...propagated.map(({ key, value }) => ({ Key: key, Value: value })),
              { Key: 'aws:autoscaling:groupName', Value: group.name },
            ],
          },
        ],
      })) as { Instances: { InstanceId: string; Placement: { AvailabilityZone: string } }[] };
      const [launched] = Instances;
      if (launched === undefined) throw new Error('no instance was launched');
      const instance: GroupInstance = {
        instanceId: launched.InstanceId,
        availabilityZone: launched.Placement.AvailabilityZone,
        subnetId,
        launchTemplateVersion,
        launchedAt: new Date(),
        lifecycleState: 'Pending',
      };
      group.instances.set(instance.instanceId, instance);
      return instance;
    } finally {
      count(-1);
    }
  }

  async #end(group: Group, instance: GroupInstance, cause: string): Promise<void> {
    const { instanceId } = instance;
    instance.lifecycleState = 'Terminating';
    const activity = note(group, `Terminating EC2 instance: ${instanceId}`, cause);
    try {
      await Promise.all(group.loadBalancerNames.map((name) => this.#drain(name, instanceId)));
      await this.#options.call('ec2', 'TerminateInstances', { InstanceIds: [instanceId] });
      end(activity, 'Successful', undefined);
    } catch (error) {
      // One that somebody else has ended meanwhile.
      end(activity, 'Failed', (error as Error).message);
    }
    group.instances.delete(instanceId);
  }

  /** A load balancer that is gone has nothing to drain. */
  async #drain(loadBalancerName: string, instanceId: string): Promise<void> {
    const { call } = this.#options;
    try {
      await call('elasticloadbalancing', 'DeregisterInstancesFromLoadBalancer', {
        LoadBalancerName: loadBalancerName,
        Instances: [{ InstanceId: instanceId }],
      });
      for (;;) {
        const { InstanceStates = [] } = (await call('elasticloadbalancing', 'DescribeInstanceHealth', {
          LoadBalancerName: loadBalancerName,
        })) as { InstanceStates?: { InstanceId?: string }[] };
        if (this.#closed || !InstanceStates.some((each) => each.InstanceId === instanceId)) return;
        await sleep(DRAIN_POLL_MS);
      }
    } catch (error) {
      if (!(error instanceof ServiceError && error.code === 'LoadBalancerNotFound')) throw error;
    }
  }
}

const sum = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((total, each) => total + each, 0);

function note(group: Group, description: string, cause: string): Activity {
  const activity: Activity = {
    activityId: randomUUID(),
    description,
    cause,
    startedAt: new Date(),
    endedAt: undefined,
    status: 'InProgress',
    statusMessage: undefined,
  };
  group.activities.unshift(activity);
  return activity;
}

function end(activity: Activity, status: Activity['status'], message: string | undefined): void {
  activity.status = status;
  activity.statusMessage = message;
  activity.endedAt = new Date();
}

/** Where the fewest are, so that Availability Zones are in balance. */
function emptiestSubnet({ settings: { subnetIds }, instances, launching }: Group): string {
  const count = (subnetId: string): number =>
    (launching.get(subnetId) ?? 0) +
    [...instances.values()].filter((each) => each.subnetId === subnetId && each.lifecycleState !== 'Terminating')
      .length;
  return [...subnetIds].sort((left, right) => count(left) - count(right))[0] ?? '';
}

/** Of the Availability Zone that has the most, the one with the oldest version of the template, then the oldest. */
export function chooseToEnd(instances: readonly GroupInstance[], count: number): readonly GroupInstance[] {
  const left = [...instances];
  const chosen: GroupInstance[] = [];
  while (chosen.length < count && left.length > 0) {
    const inZone = (zone: string): number => left.filter(({ availabilityZone }) => availabilityZone === zone).length;
    const [next] = [...left].sort(
      (a, b) =>
        inZone(b.availabilityZone) - inZone(a.availabilityZone) ||
        Number(a.launchTemplateVersion) - Number(b.launchTemplateVersion) ||
        a.launchedAt.getTime() - b.launchedAt.getTime(),
    );
    if (next === undefined) break;
    chosen.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return chosen;
}
