import type { Json } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { unlessGone } from './gone.ts';
import { text, texts } from './properties.ts';

/** It takes the place of the default policy, which let the account's alarms in. */
export const snsTopicPolicy: ResourceType = {
  name: 'AWS::SNS::TopicPolicy',
  properties: ['PolicyDocument', 'Topics'],
  required: ['PolicyDocument', 'Topics'],
  replacedBy: [],
  attributes: ['Id'],
  async create(properties, context) {
    const id = context.generateName(256);
    for (const TopicArn of texts(properties.Topics)) {
      await context.call('sns', 'SetTopicAttributes', policy(TopicArn, properties.PolicyDocument));
    }
    return { physicalResourceId: id, attributes: { Id: id } };
  },
  async update(existing, properties, context) {
    const wanted = texts(properties.Topics);
    for (const TopicArn of wanted) {
      await context.call('sns', 'SetTopicAttributes', policy(TopicArn, properties.PolicyDocument));
    }
    for (const TopicArn of texts(existing.properties.Topics).filter((each) => !wanted.includes(each))) {
      await context.call('sns', 'SetTopicAttributes', policy(TopicArn, undefined)).catch(unlessGone('NotFound'));
    }
    return existing;
  },
  async delete({ properties }, context) {
    for (const TopicArn of texts(properties.Topics)) {
      await context.call('sns', 'SetTopicAttributes', policy(TopicArn, undefined)).catch(unlessGone('NotFound'));
    }
  },
};

/** Without one the topic has the default policy again. */
function policy(TopicArn: string, document: Json | undefined): Record<string, unknown> {
  const AttributeValue =
    document === undefined ? '' : typeof document === 'string' ? text(document) : JSON.stringify(document);
  return { TopicArn, AttributeName: 'Policy', AttributeValue };
}
