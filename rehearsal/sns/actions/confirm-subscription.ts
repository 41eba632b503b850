import type { ConfirmSubscriptionInput } from '@aws-sdk/client-sns';
import { ServiceError } from '../../aws/service.ts';
import type { SnsParts } from '../parts.ts';

export const confirmSubscription =
  ({ store }: SnsParts) =>
  (input: ConfirmSubscriptionInput) => {
    const { TopicArn = '', Token } = input;
    const subscription = store.subscriptionsOf(store.get(TopicArn).arn).find(({ token }) => token === Token);
    if (subscription === undefined) throw new ServiceError('InvalidParameter', 'Invalid parameter: Token');
    subscription.isConfirmed = true;
    return { SubscriptionArn: subscription.arn };
  };
