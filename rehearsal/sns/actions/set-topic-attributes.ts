import type { SetTopicAttributesInput } from '@aws-sdk/client-sns';
import { checkAttributes } from '../attributes.ts';
import type { SnsParts } from '../parts.ts';

export const setTopicAttributes =
  ({ store }: SnsParts) =>
  (input: SetTopicAttributesInput) => {
    const { TopicArn = '', AttributeName = '', AttributeValue = '' } = input;
    const topic = store.get(TopicArn);
    // An empty value takes an attribute back to what it is by default.
    if (AttributeValue === '') delete topic.attributes[AttributeName];
    else {
      checkAttributes({ [AttributeName]: AttributeValue });
      topic.attributes[AttributeName] = AttributeValue;
    }
    return {};
  };
