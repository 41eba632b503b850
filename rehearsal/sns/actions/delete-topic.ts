import type { DeleteTopicInput } from '@aws-sdk/client-sns';
import type { SnsParts } from '../parts.ts';

export const deleteTopic =
  ({ store }: SnsParts) =>
  (input: DeleteTopicInput) => {
    store.delete(input.TopicArn ?? '');
    return {};
  };
