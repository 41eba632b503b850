import type { GetTopicAttributesInput } from '@aws-sdk/client-sns';
import { ACCOUNT_ID } from '../../world.ts';
import type { SnsParts } from '../parts.ts';

export const getTopicAttributes =
  ({ store }: SnsParts) =>
  (input: GetTopicAttributesInput) => {
    const topic = store.get(input.TopicArn ?? '');
    const subscriptions = store.subscriptionsOf(topic.arn);
    const count = (isConfirmed: boolean) =>
      String(subscriptions.filter((each) => each.isConfirmed === isConfirmed).length);
    return {
      Attributes: {
        TopicArn: topic.arn,
        Owner: ACCOUNT_ID,
        DisplayName: '',
        SubscriptionsConfirmed: count(true),
        SubscriptionsPending: count(false),
        SubscriptionsDeleted: '0',
        ...topic.attributes,
      },
    };
  };
