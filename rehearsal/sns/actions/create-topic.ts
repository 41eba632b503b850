import type { CreateTopicInput } from '@aws-sdk/client-sns';
import { onlyTakes } from '../../aws/only-takes.ts';
import { checkAttributes } from '../attributes.ts';
import type { SnsParts } from '../parts.ts';

export const createTopic =
  ({ store }: SnsParts) =>
  (input: CreateTopicInput) => {
    onlyTakes('CreateTopic', input, ['Name', 'Attributes', 'Tags'], 'InvalidParameter');
    const { Name = '', Attributes = {}, Tags = [] } = input;
    checkAttributes(Attributes);
    const tags = new Map(Tags.map(({ Key = '', Value = '' }) => [Key, Value]));
    return { TopicArn: store.create(Name, Attributes, tags).arn };
  };
