import { isObject, type Json, type JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { changedProperties, finishOrDelete, isTrue, requireUpdatable } from './made-by-api.ts';
import { defined, number, object, tagMap, text, texts } from './properties.ts';

const ATTRIBUTES = ['ConnectionSettings', 'ConnectionDrainingPolicy', 'CrossZone'];
const UPDATABLE = [...ATTRIBUTES, 'HealthCheck', 'SecurityGroups'];

export const elbLoadBalancer: ResourceType = {
  name: 'AWS::ElasticLoadBalancing::LoadBalancer',
  properties: ['LoadBalancerName', 'Scheme', 'Subnets', 'Listeners', 'Policies', ...UPDATABLE, 'Tags'],
  required: ['Listeners', 'Subnets'],
  replacedBy: ['LoadBalancerName', 'Scheme', 'Subnets'],
  attributes: ['DNSName', 'CanonicalHostedZoneName'],

  async create(properties, context) {
    const name = text(properties.LoadBalancerName) ?? context.generateName(32);
    const { DNSName } = (await context.call('elasticloadbalancing', 'CreateLoadBalancer', {
      LoadBalancerName: name,
      ...defined({ Scheme: text(properties.Scheme) === 'internal' ? 'internal' : undefined }),
      Subnets: texts(properties.Subnets),
      SecurityGroups: texts(properties.SecurityGroups),
      Listeners: list(properties.Listeners).map(toListener),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    })) as { DNSName: string };
    await finishOrDelete(name, settle(name, properties, context));
    return { physicalResourceId: name, attributes: { DNSName, CanonicalHostedZoneName: DNSName } };
  },

  async update(existing, properties, context) {
    requireUpdatable(existing, properties, UPDATABLE);
    const name = existing.physicalResourceId;
    const changed = changedProperties(existing.properties, properties);
    if (changed.includes('SecurityGroups')) {
      await context.call('elasticloadbalancing', 'ApplySecurityGroupsToLoadBalancer', {
        LoadBalancerName: name,
        SecurityGroups: texts(properties.SecurityGroups),
      });
    }
    if (changed.includes('HealthCheck')) await setHealthCheck(name, properties, context);
    if (changed.some((each) => ATTRIBUTES.includes(each))) await setAttributes(name, properties, context);
    return existing;
  },

  async delete({ physicalResourceId }, context) {
    await context.call('elasticloadbalancing', 'DeleteLoadBalancer', { LoadBalancerName: physicalResourceId });
  },
};

async function settle(name: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  await setPolicies(name, properties, context);
  await setHealthCheck(name, properties, context);
  await setAttributes(name, properties, context);
}

const list = (value: Json | undefined): JsonObject[] => (Array.isArray(value) ? value : []).filter(isObject);

/** CloudFormation takes the ports as text. */
const toListener = (listener: JsonObject): Record<string, unknown> =>
  defined({
    Protocol: text(listener.Protocol),
    LoadBalancerPort: number(listener.LoadBalancerPort),
    InstanceProtocol: text(listener.InstanceProtocol),
    InstancePort: number(listener.InstancePort),
    SSLCertificateId: text(listener.SSLCertificateId),
  });

/** Each policy, then on each port those that name it and those that its listener names. */
async function setPolicies(name: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const policies = list(properties.Policies);
  for (const policy of policies) {
    await context.call('elasticloadbalancing', 'CreateLoadBalancerPolicy', {
      LoadBalancerName: name,
      PolicyName: text(policy.PolicyName),
      PolicyTypeName: text(policy.PolicyType),
      PolicyAttributes: list(policy.Attributes).map(({ Name, Value }) => ({
        AttributeName: text(Name),
        AttributeValue: text(Value),
      })),
    });
  }
  const onPort = (member: 'LoadBalancerPorts' | 'InstancePorts', port: string): string[] =>
    policies.filter((policy) => texts(policy[member]).includes(port)).map(({ PolicyName }) => text(PolicyName) ?? '');
  for (const listener of list(properties.Listeners)) {
    const port = text(listener.LoadBalancerPort) ?? '';
    const names = [...new Set([...texts(listener.PolicyNames), ...onPort('LoadBalancerPorts', port)])];
    if (names.length === 0) continue;
    await context.call('elasticloadbalancing', 'SetLoadBalancerPoliciesOfListener', {
      LoadBalancerName: name,
      LoadBalancerPort: Number(port),
      PolicyNames: names,
    });
  }
  for (const port of new Set(policies.flatMap(({ InstancePorts }) => texts(InstancePorts)))) {
    await context.call('elasticloadbalancing', 'SetLoadBalancerPoliciesForBackendServer', {
      LoadBalancerName: name,
      InstancePort: Number(port),
      PolicyNames: onPort('InstancePorts', port),
    });
  }
}

async function setHealthCheck(name: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const check = object(properties.HealthCheck);
  if (check === undefined) return;
  await context.call('elasticloadbalancing', 'ConfigureHealthCheck', {
    LoadBalancerName: name,
    HealthCheck: {
      Target: text(check.Target),
      Interval: number(check.Interval),
      Timeout: number(check.Timeout),
      UnhealthyThreshold: number(check.UnhealthyThreshold),
      HealthyThreshold: number(check.HealthyThreshold),
    },
  });
}

/** What is taken out of the template goes back to what a new load balancer has. */
async function setAttributes(name: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const draining = object(properties.ConnectionDrainingPolicy);
  const idleTimeout = number(object(properties.ConnectionSettings)?.IdleTimeout);
  await context.call('elasticloadbalancing', 'ModifyLoadBalancerAttributes', {
    LoadBalancerName: name,
    LoadBalancerAttributes: {
      CrossZoneLoadBalancing: { Enabled: isTrue(properties.CrossZone) },
      ConnectionDraining: { Enabled: isTrue(draining?.Enabled), ...defined({ Timeout: number(draining?.Timeout) }) },
      ConnectionSettings: { IdleTimeout: idleTimeout ?? 60 },
    },
  });
}
