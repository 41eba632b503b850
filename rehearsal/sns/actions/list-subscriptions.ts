import type { ListSubscriptionsByTopicInput } from '@aws-sdk/client-sns';
import { ACCOUNT_ID } from '../../world.ts';
import type { SnsParts } from '../parts.ts';
import type { Subscription } from '../topic-store.ts';

const describe = ({ arn, topicArn, protocol, endpoint, isConfirmed }: Subscription) => ({
  SubscriptionArn: isConfirmed ? arn : 'PendingConfirmation',
  Owner: ACCOUNT_ID,
  Protocol: protocol,
  Endpoint: endpoint,
  TopicArn: topicArn,
});

/** ListSubscriptions and ListSubscriptionsByTopic. */
export const listSubscriptions =
  ({ store }: SnsParts) =>
  () => ({ Subscriptions: [...store.subscriptions.values()].map(describe) });

export const listSubscriptionsByTopic =
  ({ store }: SnsParts) =>
  (input: ListSubscriptionsByTopicInput) => ({
    Subscriptions: store.subscriptionsOf(store.get(input.TopicArn ?? '').arn).map(describe),
  });
