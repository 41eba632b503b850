/**
 * Auto Scaling groups: each launches and ends instances until there are as many as it is to have, through the actions of EC2 and of the
 * load balancers that clients use.
 *
 *   launched    RunInstances → Pending → registered with load balancers and target groups → InService
 *   ended       Terminating → deregistered → until it is drained → TerminateInstances
 *
 * Source: EC2 Auto Scaling user guide, "Instance lifecycle", "Attach a load balancer" (an instance is deregistered first, and draining is
 * waited for), "Health checks for instances in an Auto Scaling group", "Default termination policy".
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION, type World } from '../world.ts';
import {
  type Call,
  classicLoadBalancer,
  isGone,
  type TrafficSource,
  targetGroup,
  unlessGone,
} from './traffic-source.ts';

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
  readonly healthCheckType: 'EC2' | 'ELB';
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
  isHealthy: boolean;
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
  loadBalancerNames: readonly string[];
  targetGroupArns: readonly string[];
  tags: readonly GroupTag[];
  settings: GroupSettings;
  readonly instances: Map<string, GroupInstance>;
  /** How many are being launched, by subnet. */
  readonly launching: Map<string, number>;
  /** Newest first. */
  readonly activities: Activity[];
  /** After a launch that failed, none is tried before this. Milliseconds since the epoch. */
  notBefore: number;
  /** When its load balancers were last asked about its instances. Milliseconds since the epoch. */
  judgedAt: number;
}

export interface GroupsOptions {
  readonly world: World;
  readonly call: Call;
}

const WATCH_MS = 500;
const RETRY_MS = 5_000;
const DRAIN_POLL_MS = 250;
/** AWS does not say how often it asks. */
const JUDGE_MS = 2_000;

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
    sources: Pick<Group, 'loadBalancerNames' | 'targetGroupArns'>,
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
      ...sources,
      tags,
      settings,
      instances: new Map(),
      launching: new Map(),
      activities: [],
      notBefore: 0,
      judgedAt: 0,
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

  /**
   * Instances that it has are registered at once; a source that it has already stays.
   *
   * @throws ServiceError ValidationError  one that is not there; the group is as it was
   */
  async attach(group: Group, sources: Partial<Pick<Group, 'loadBalancerNames' | 'targetGroupArns'>>): Promise<void> {
    const before = new Set(this.#sourcesOf(group).map(({ id }) => id));
    const { loadBalancerNames = [], targetGroupArns = [] } = sources;
    const wanted = {
      loadBalancerNames: [...new Set([...group.loadBalancerNames, ...loadBalancerNames])],
      targetGroupArns: [...new Set([...group.targetGroupArns, ...targetGroupArns])],
    };
    for (const source of this.#sourcesOf(wanted)) {
      if (before.has(source.id)) continue;
      await source.register(staying(group)).catch((error: unknown) => {
        if (!isGone(error)) throw error;
        throw new ServiceError(
          'ValidationError',
          `${source.id} not found. Validating load balancer configuration failed.`,
        );
      });
    }
    Object.assign(group, wanted);
  }

  /** Instances go on running, drain from it, and do not wait for that. */
  async detach(group: Group, ids: readonly string[]): Promise<void> {
    const gone = this.#sourcesOf(group).filter(({ id }) => ids.includes(id));
    group.loadBalancerNames = group.loadBalancerNames.filter((name) => !ids.includes(name));
    group.targetGroupArns = group.targetGroupArns.filter((arn) => !ids.includes(arn));
    for (const source of gone) await unlessGone(source.deregister(staying(group)));
  }

  #sourcesOf({
    loadBalancerNames,
    targetGroupArns,
  }: Pick<Group, 'loadBalancerNames' | 'targetGroupArns'>): readonly TrafficSource[] {
    const { call } = this.#options;
    return [
      ...loadBalancerNames.map((name) => classicLoadBalancer(call, name)),
      ...targetGroupArns.map((arn) => targetGroup(call, arn)),
    ];
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
      if (group.settings.healthCheckType === 'ELB' && Date.now() - group.judgedAt >= JUDGE_MS) {
        group.judgedAt = Date.now();
        this.#begin(this.#judge(group));
      }
    }
  }

  /** One that any of its load balancers finds unhealthy, its grace period over, is ended and replaced. */
  async #judge(group: Group): Promise<void> {
    const graceMs = group.settings.healthCheckGracePeriodSeconds * 1_000;
    for (const source of this.#sourcesOf(group)) {
      const health = await source.health().catch(() => new Map<string, string>());
      for (const instance of group.instances.values()) {
        const isJudged =
          instance.lifecycleState === 'InService' && Date.now() - instance.launchedAt.getTime() >= graceMs;
        if (!isJudged || health.get(instance.instanceId) !== 'unhealthy') continue;
        instance.isHealthy = false;
        this.endInstance(
          group,
          instance,
          `At ${new Date().toISOString()} an instance was taken out of service in response to an ELB system health check failure.`,
        );
      }
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
      for (const source of this.#sourcesOf(group)) await source.register([instance.instanceId]);
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
        isHealthy: true,
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
      await Promise.all(this.#sourcesOf(group).map((source) => unlessGone(this.#drain(source, instanceId))));
      await this.#options.call('ec2', 'TerminateInstances', { InstanceIds: [instanceId] });
      end(activity, 'Successful', undefined);
    } catch (error) {
      // One that somebody else has ended meanwhile.
      end(activity, 'Failed', (error as Error).message);
    }
    group.instances.delete(instanceId);
  }

  async #drain(source: TrafficSource, instanceId: string): Promise<void> {
    await source.deregister([instanceId]);
    while (!this.#closed && (await source.health()).has(instanceId)) await sleep(DRAIN_POLL_MS);
  }
}

const staying = ({ instances }: Group): readonly string[] =>
  [...instances.values()].flatMap(({ instanceId, lifecycleState }) =>
    lifecycleState === 'InService' ? [instanceId] : [],
  );

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
