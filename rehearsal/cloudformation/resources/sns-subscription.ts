import type { ResourceType } from '../resource-type.ts';
import { text } from './properties.ts';

/** An address that has not confirmed is subscribed all the same, and pending. */
export const snsSubscription: ResourceType = {
  name: 'AWS::SNS::Subscription',
  properties: ['Protocol', 'Endpoint', 'TopicArn'],
  required: ['Protocol', 'TopicArn'],
  replacedBy: ['Protocol', 'Endpoint', 'TopicArn'],
  attributes: ['Arn'],
  async create(properties, context) {
    const { SubscriptionArn } = (await context.call('sns', 'Subscribe', {
      TopicArn: text(properties.TopicArn),
      Protocol: text(properties.Protocol),
      Endpoint: text(properties.Endpoint),
      ReturnSubscriptionArn: true,
    })) as { SubscriptionArn: string };
    return { physicalResourceId: SubscriptionArn, attributes: { Arn: SubscriptionArn } };
  },
  async update(existing) {
    return existing;
  },
  async delete({ physicalResourceId }, context) {
    await context.call('sns', 'Unsubscribe', { SubscriptionArn: physicalResourceId });
  },
};
