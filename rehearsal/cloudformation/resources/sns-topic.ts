import { isSame, type Json, type JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { defined, object, tagMap, text } from './properties.ts';
import { taken } from './taken.ts';

const TYPE = 'AWS::SNS::Topic';
const ATTRIBUTES = ['DisplayName', 'KmsMasterKeyId'];

export const snsTopic: ResourceType = {
  name: TYPE,
  properties: ['TopicName', ...ATTRIBUTES, 'Subscription', 'Tags'],
  required: [],
  replacedBy: ['TopicName'],
  attributes: ['TopicArn', 'TopicName'],

  async create(properties, context) {
    const name = text(properties.TopicName) ?? context.generateName(256);
    const { Topics = [] } = (await context.call('sns', 'ListTopics', {})) as { Topics?: { TopicArn?: string }[] };
    if (Topics.some(({ TopicArn }) => TopicArn?.endsWith(`:${name}`))) throw taken(TYPE, name);
    const { TopicArn } = (await context.call('sns', 'CreateTopic', {
      Name: name,
      Attributes: defined(Object.fromEntries(ATTRIBUTES.map((key) => [key, text(properties[key])]))),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    })) as { TopicArn: string };
    await subscribe(TopicArn, subscriptions(properties), context);
    return { physicalResourceId: TopicArn, attributes: { TopicArn, TopicName: name } };
  },

  async update(existing, properties, context) {
    const { physicalResourceId: TopicArn, properties: before } = existing;
    for (const AttributeName of ATTRIBUTES) {
      if (isSame(before[AttributeName] ?? null, properties[AttributeName] ?? null)) continue;
      const AttributeValue = text(properties[AttributeName]) ?? '';
      await context.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName, AttributeValue });
    }
    const wanted = subscriptions(properties);
    await subscribe(TopicArn, wanted, context);
    const { Subscriptions = [] } = (await context.call('sns', 'ListSubscriptionsByTopic', { TopicArn })) as {
      Subscriptions?: { SubscriptionArn: string; Protocol: string; Endpoint: string }[];
    };
    for (const { SubscriptionArn, Protocol, Endpoint } of Subscriptions) {
      const isOf = (each: JsonObject): boolean => each.Protocol === Protocol && each.Endpoint === Endpoint;
      if (subscriptions(before).some(isOf) && !wanted.some(isOf)) {
        await context.call('sns', 'Unsubscribe', { SubscriptionArn });
      }
    }
    return existing;
  },

  async delete({ physicalResourceId }, context) {
    await context.call('sns', 'DeleteTopic', { TopicArn: physicalResourceId });
  },
};

function subscriptions({ Subscription = [] }: JsonObject): JsonObject[] {
  return (Array.isArray(Subscription) ? Subscription : [Subscription]).map((each: Json) => object(each) ?? {});
}

async function subscribe(TopicArn: string, wanted: readonly JsonObject[], context: ResourceContext): Promise<void> {
  for (const each of wanted) await context.call('sns', 'Subscribe', { ...each, TopicArn });
}
