import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, unlessGone } from './made-by-api.ts';
import { defined, number, text } from './properties.ts';

const UPDATABLE = ['Port', 'Protocol', 'SslPolicy', 'Certificates', 'DefaultActions'];

export const elbv2Listener: ResourceType = {
  name: 'AWS::ElasticLoadBalancingV2::Listener',
  properties: ['LoadBalancerArn', ...UPDATABLE],
  required: ['LoadBalancerArn', 'DefaultActions'],
  replacedBy: ['LoadBalancerArn'],
  attributes: ['ListenerArn'],

  async create(properties, context) {
    const { Listeners } = (await context.call('elbv2', 'CreateListener', {
      LoadBalancerArn: text(properties.LoadBalancerArn),
      ...settings(properties),
    })) as { Listeners: [{ ListenerArn: string }] };
    const [{ ListenerArn }] = Listeners;
    return { physicalResourceId: ListenerArn, attributes: { ListenerArn } };
  },

  async update(existing, properties, context) {
    requireUpdatable(existing, properties, UPDATABLE);
    const ListenerArn = existing.physicalResourceId;
    await context.call('elbv2', 'ModifyListener', { ListenerArn, ...settings(properties) });
    return existing;
  },

  delete: ({ physicalResourceId }, context) =>
    unlessGone(context.call('elbv2', 'DeleteListener', { ListenerArn: physicalResourceId }), /^ListenerNotFound$/),
};

const settings = (properties: JsonObject): Record<string, unknown> =>
  defined({
    Port: number(properties.Port),
    Protocol: text(properties.Protocol),
    SslPolicy: text(properties.SslPolicy),
    Certificates: properties.Certificates,
    DefaultActions: properties.DefaultActions,
  });
