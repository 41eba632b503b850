import { HEALTH_INPUTS } from '../../elbv2/checks.ts';
import type { JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { changedProperties, finishOrDelete, requireUpdatable } from './made-by-api.ts';
import { defined, keyValues, number, object, tagMap, text } from './properties.ts';

const FIXED = ['Name', 'Port', 'Protocol', 'ProtocolVersion', 'VpcId', 'TargetType', 'IpAddressType'];
/** Spelt as in the API. */
const HEALTH: readonly string[] = HEALTH_INPUTS;
const UPDATABLE = [...HEALTH, 'TargetGroupAttributes'];

/** Targets come by Auto Scaling groups or by RegisterTargets: those in a template (Targets) are not in the rehearsal. */
export const elbv2TargetGroup: ResourceType = {
  name: 'AWS::ElasticLoadBalancingV2::TargetGroup',
  properties: [...FIXED, ...UPDATABLE, 'Tags'],
  required: [],
  replacedBy: FIXED,
  attributes: ['TargetGroupArn', 'TargetGroupName', 'TargetGroupFullName', 'LoadBalancerArns'],

  async create(properties, context) {
    const { TargetGroups } = (await context.call('elbv2', 'CreateTargetGroup', {
      Name: text(properties.Name) ?? context.generateName(32),
      ...defined({
        Port: number(properties.Port),
        Protocol: text(properties.Protocol),
        ProtocolVersion: text(properties.ProtocolVersion),
        VpcId: text(properties.VpcId),
        TargetType: text(properties.TargetType),
        IpAddressType: text(properties.IpAddressType),
      }),
      ...healthCheck(properties),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    })) as { TargetGroups: [{ TargetGroupArn: string; TargetGroupName: string }] };
    const [{ TargetGroupArn, TargetGroupName }] = TargetGroups;
    await finishOrDelete(TargetGroupArn, setAttributes(TargetGroupArn, properties, context));
    return {
      physicalResourceId: TargetGroupArn,
      attributes: {
        TargetGroupArn,
        TargetGroupName,
        // What CloudWatch has for the dimension TargetGroup: `targetgroup/<name>/<id>`.
        TargetGroupFullName: TargetGroupArn.replace(/^.*:targetgroup\//, 'targetgroup/'),
        LoadBalancerArns: [],
      },
    };
  },

  async update(existing, properties, context) {
    requireUpdatable(existing, properties, UPDATABLE);
    const { physicalResourceId: TargetGroupArn } = existing;
    const changed = changedProperties(existing.properties, properties);
    if (changed.some((each) => HEALTH.includes(each))) {
      await context.call('elbv2', 'ModifyTargetGroup', { TargetGroupArn, ...healthCheck(properties) });
    }
    if (changed.includes('TargetGroupAttributes')) await setAttributes(TargetGroupArn, properties, context);
    return existing;
  },

  async delete({ physicalResourceId }, context) {
    await context.call('elbv2', 'DeleteTargetGroup', { TargetGroupArn: physicalResourceId });
  },
};

function healthCheck(properties: JsonObject): Record<string, unknown> {
  const codes = object(properties.Matcher);
  return defined({
    HealthCheckEnabled:
      properties.HealthCheckEnabled === undefined ? undefined : text(properties.HealthCheckEnabled) === 'true',
    HealthCheckProtocol: text(properties.HealthCheckProtocol),
    HealthCheckPort: text(properties.HealthCheckPort),
    HealthCheckPath: text(properties.HealthCheckPath),
    HealthCheckIntervalSeconds: number(properties.HealthCheckIntervalSeconds),
    HealthCheckTimeoutSeconds: number(properties.HealthCheckTimeoutSeconds),
    HealthyThresholdCount: number(properties.HealthyThresholdCount),
    UnhealthyThresholdCount: number(properties.UnhealthyThresholdCount),
    Matcher: codes && defined({ HttpCode: text(codes.HttpCode), GrpcCode: text(codes.GrpcCode) }),
  });
}

async function setAttributes(arn: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const Attributes = keyValues(properties.TargetGroupAttributes);
  if (Attributes.length === 0) return;
  await context.call('elbv2', 'ModifyTargetGroupAttributes', { TargetGroupArn: arn, Attributes });
}
