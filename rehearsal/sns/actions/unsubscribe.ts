import type { UnsubscribeInput } from '@aws-sdk/client-sns';
import type { SnsParts } from '../parts.ts';

export const unsubscribe =
  ({ store }: SnsParts) =>
  (input: UnsubscribeInput) => {
    store.subscriptions.delete(input.SubscriptionArn ?? '');
    return {};
  };
