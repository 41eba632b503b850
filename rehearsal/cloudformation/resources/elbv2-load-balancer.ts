import type { JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { changedProperties, finishOrDelete, requireUpdatable } from './made-by-api.ts';
import { defined, keyValues, tagMap, text, texts } from './properties.ts';

const FIXED = ['Name', 'Scheme', 'Type'];
const UPDATABLE = ['SecurityGroups', 'LoadBalancerAttributes'];

export const elbv2LoadBalancer: ResourceType = {
  name: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
  properties: [...FIXED, ...UPDATABLE, 'Subnets', 'IpAddressType', 'Tags'],
  required: [],
  replacedBy: FIXED,
  attributes: [
    'LoadBalancerArn',
    'LoadBalancerName',
    'LoadBalancerFullName',
    'DNSName',
    'CanonicalHostedZoneID',
    'SecurityGroups',
  ],

  async create(properties, context) {
    const { LoadBalancers } = (await context.call('elbv2', 'CreateLoadBalancer', {
      Name: text(properties.Name) ?? context.generateName(32),
      ...defined({
        Scheme: text(properties.Scheme),
        Type: text(properties.Type),
        IpAddressType: text(properties.IpAddressType),
      }),
      Subnets: texts(properties.Subnets),
      SecurityGroups: texts(properties.SecurityGroups),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    })) as {
      LoadBalancers: [
        { LoadBalancerArn: string; LoadBalancerName: string; DNSName: string; CanonicalHostedZoneId: string },
      ];
    };
    const [{ LoadBalancerArn, LoadBalancerName, DNSName, CanonicalHostedZoneId }] = LoadBalancers;
    await finishOrDelete(LoadBalancerArn, setAttributes(LoadBalancerArn, properties, context));
    return {
      physicalResourceId: LoadBalancerArn,
      attributes: {
        LoadBalancerArn,
        LoadBalancerName,
        // What CloudWatch has for the dimension LoadBalancer: `app/<name>/<id>`.
        LoadBalancerFullName: LoadBalancerArn.replace(/^.*:loadbalancer\//, ''),
        DNSName,
        CanonicalHostedZoneID: CanonicalHostedZoneId,
        SecurityGroups: texts(properties.SecurityGroups),
      },
    };
  },

  async update(existing, properties, context) {
    requireUpdatable(existing, properties, UPDATABLE);
    const { physicalResourceId: LoadBalancerArn } = existing;
    const changed = changedProperties(existing.properties, properties);
    if (changed.includes('LoadBalancerAttributes')) await setAttributes(LoadBalancerArn, properties, context);
    if (!changed.includes('SecurityGroups')) return existing;
    const SecurityGroups = texts(properties.SecurityGroups);
    await context.call('elbv2', 'SetSecurityGroups', { LoadBalancerArn, SecurityGroups });
    return { ...existing, attributes: { ...existing.attributes, SecurityGroups } };
  },

  async delete({ physicalResourceId }, context) {
    await context.call('elbv2', 'DeleteLoadBalancer', { LoadBalancerArn: physicalResourceId });
  },
};

/** What is taken out of the template keeps its value, as on AWS: an attribute that is not named is not set. */
async function setAttributes(arn: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const Attributes = keyValues(properties.LoadBalancerAttributes);
  if (Attributes.length === 0) return;
  await context.call('elbv2', 'ModifyLoadBalancerAttributes', { LoadBalancerArn: arn, Attributes });
}
