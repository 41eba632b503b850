import type { ResourceType } from '../resource-type.ts';
import { changedProperties, requireUpdatable, unlessGone } from './made-by-api.ts';
import { number, text } from './properties.ts';

const UPDATABLE = ['Priority', 'Conditions', 'Actions'];

export const elbv2ListenerRule: ResourceType = {
  name: 'AWS::ElasticLoadBalancingV2::ListenerRule',
  properties: ['ListenerArn', ...UPDATABLE],
  required: ['ListenerArn', ...UPDATABLE],
  replacedBy: ['ListenerArn'],
  attributes: ['RuleArn', 'IsDefault'],

  async create(properties, context) {
    const { Rules } = (await context.call('elbv2', 'CreateRule', {
      ListenerArn: text(properties.ListenerArn),
      Priority: number(properties.Priority),
      Conditions: properties.Conditions,
      Actions: properties.Actions,
    })) as { Rules: [{ RuleArn: string }] };
    const [{ RuleArn }] = Rules;
    return { physicalResourceId: RuleArn, attributes: { RuleArn, IsDefault: false } };
  },

  async update(existing, properties, context) {
    requireUpdatable(existing, properties, UPDATABLE);
    const RuleArn = existing.physicalResourceId;
    const changed = changedProperties(existing.properties, properties);
    if (changed.includes('Priority')) {
      const RulePriorities = [{ RuleArn, Priority: number(properties.Priority) }];
      await context.call('elbv2', 'SetRulePriorities', { RulePriorities });
    }
    const { Conditions, Actions } = properties;
    await context.call('elbv2', 'ModifyRule', { RuleArn, Conditions, Actions });
    return existing;
  },

  delete: ({ physicalResourceId }, context) =>
    unlessGone(context.call('elbv2', 'DeleteRule', { RuleArn: physicalResourceId }), /^RuleNotFound$/),
};
