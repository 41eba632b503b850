import { setTimeout as sleep } from 'node:timers/promises';
import { ResourceFailure } from '../errors.ts';
import { isObject, type JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { isTrue, requireUpdatable } from './made-by-api.ts';
import { defined, number, object, text, texts } from './properties.ts';

const SETTINGS = [
  'MinSize',
  'MaxSize',
  'DesiredCapacity',
  'LaunchTemplate',
  'VPCZoneIdentifier',
  'HealthCheckType',
  'HealthCheckGracePeriod',
  'Cooldown',
] as const;

/** What its instances are registered with: property, and the actions that add and remove some. */
const SOURCES = {
  LoadBalancerNames: 'LoadBalancers',
  TargetGroupARNs: 'LoadBalancerTargetGroups',
} as const;
type Source = keyof typeof SOURCES;

const POLL_MS = 200;
/** An instance boots in seconds here; a group that gets none is told about before a test gives up. Unit: milliseconds. */
const STABLE_LIMIT_MS = 120_000;

/** Complete when it has as many instances InService as it is to have: by EC2's health, whatever the load balancer says of them. */
export const autoScalingGroup: ResourceType = {
  name: 'AWS::AutoScaling::AutoScalingGroup',
  properties: ['AutoScalingGroupName', ...SETTINGS, ...Object.keys(SOURCES), 'Tags'],
  required: ['MinSize', 'MaxSize'],
  replacedBy: ['AutoScalingGroupName'],
  attributes: ['AutoScalingGroupARN'],

  async create(properties, context) {
    const name = text(properties.AutoScalingGroupName) ?? context.generateName(255);
    await context.call('autoscaling', 'CreateAutoScalingGroup', {
      AutoScalingGroupName: name,
      ...settings(properties),
      LoadBalancerNames: texts(properties.LoadBalancerNames),
      TargetGroupARNs: texts(properties.TargetGroupARNs),
      Tags: tags(properties, context),
    });
    await stable(name, context);
    const { AutoScalingGroupARN = '' } = (await find(name, context)) ?? {};
    return { physicalResourceId: name, attributes: { AutoScalingGroupARN } };
  },

  async update(existing, properties, context) {
    requireUpdatable(existing, properties, [...SETTINGS, ...Object.keys(SOURCES)]);
    const name = existing.physicalResourceId;
    await context.call('autoscaling', 'UpdateAutoScalingGroup', {
      AutoScalingGroupName: name,
      ...settings(properties),
    });
    for (const source of Object.keys(SOURCES) as Source[]) {
      await follow(source, name, texts(existing.properties[source]), texts(properties[source]), context);
    }
    await stable(name, context);
    return existing;
  },

  /** Scaled to none, so that every instance is drained before the group goes. */
  async delete({ physicalResourceId: name }, context) {
    if ((await find(name, context)) === undefined) return;
    await context.call('autoscaling', 'UpdateAutoScalingGroup', {
      AutoScalingGroupName: name,
      MinSize: 0,
      MaxSize: 0,
      DesiredCapacity: 0,
    });
    while (!(await isDeleted(name, context))) await sleep(POLL_MS);
  },
};

/** The new ones first, so that instances are never without any. */
async function follow(
  source: Source,
  name: string,
  before: readonly string[],
  after: readonly string[],
  context: ResourceContext,
): Promise<void> {
  const change = async (verb: string, items: readonly string[]): Promise<void> => {
    if (items.length === 0) return;
    await context.call('autoscaling', `${verb}${SOURCES[source]}`, { AutoScalingGroupName: name, [source]: items });
  };
  await change(
    'Attach',
    after.filter((each) => !before.includes(each)),
  );
  await change(
    'Detach',
    before.filter((each) => !after.includes(each)),
  );
}

/** Not while it has instances, or launches one. */
async function isDeleted(name: string, context: ResourceContext): Promise<boolean> {
  try {
    await context.call('autoscaling', 'DeleteAutoScalingGroup', { AutoScalingGroupName: name });
    return true;
  } catch (error) {
    if (error instanceof HandlerFailure && error.code === 'ResourceInUse') return false;
    throw error;
  }
}

interface Described {
  readonly AutoScalingGroupARN?: string;
  readonly MinSize?: number;
  readonly DesiredCapacity?: number;
  readonly Instances?: readonly { readonly LifecycleState?: string }[];
}

async function find(name: string, context: ResourceContext): Promise<Described | undefined> {
  const { AutoScalingGroups } = (await context.call('autoscaling', 'DescribeAutoScalingGroups', {
    AutoScalingGroupNames: [name],
  })) as { AutoScalingGroups: Described[] };
  return AutoScalingGroups[0];
}

/** @throws ResourceFailure  in CloudFormation's words, with why the last launch failed */
async function stable(name: string, context: ResourceContext): Promise<void> {
  const limit = Date.now() + STABLE_LIMIT_MS;
  for (;;) {
    const { Instances = [], MinSize, DesiredCapacity = 0 } = (await find(name, context)) ?? {};
    const current = Instances.filter(({ LifecycleState }) => LifecycleState === 'InService').length;
    if (current === DesiredCapacity && Instances.length === DesiredCapacity) return;
    if (context.signal.aborted || Date.now() > limit) {
      const { Activities } = (await context.call('autoscaling', 'DescribeScalingActivities', {
        AutoScalingGroupName: name,
      })) as { Activities: { StatusCode?: string; StatusMessage?: string }[] };
      const failed = Activities.find(({ StatusCode }) => StatusCode === 'Failed')?.StatusMessage;
      const why = failed === undefined ? '' : ` Failed Scaling Activity: ${failed}`;
      const sizes = `{current/minimum/target size: ${current}/${MinSize}/${DesiredCapacity}}`;
      const words = context.signal.aborted ? 'Resource creation cancelled' : `Group did not stabilize. ${sizes}.${why}`;
      throw new ResourceFailure(words, name);
    }
    await sleep(POLL_MS);
  }
}

function settings(properties: JsonObject): Record<string, unknown> {
  const template = object(properties.LaunchTemplate);
  return defined({
    MinSize: number(properties.MinSize),
    MaxSize: number(properties.MaxSize),
    DesiredCapacity: number(properties.DesiredCapacity),
    LaunchTemplate: template && { LaunchTemplateId: text(template.LaunchTemplateId), Version: text(template.Version) },
    VPCZoneIdentifier:
      properties.VPCZoneIdentifier === undefined ? undefined : texts(properties.VPCZoneIdentifier).join(','),
    HealthCheckType: text(properties.HealthCheckType),
    HealthCheckGracePeriod: number(properties.HealthCheckGracePeriod),
    DefaultCooldown: number(properties.Cooldown),
  });
}

function tags(properties: JsonObject, context: ResourceContext): Record<string, unknown>[] {
  const own = (Array.isArray(properties.Tags) ? properties.Tags : []).filter(isObject);
  return [
    ...Object.entries(context.tags).map(([Key, Value]) => ({ Key, Value, PropagateAtLaunch: true })),
    ...own.map(({ Key, Value, PropagateAtLaunch }) => ({
      Key: text(Key),
      Value: text(Value),
      PropagateAtLaunch: isTrue(PropagateAtLaunch),
    })),
  ];
}
