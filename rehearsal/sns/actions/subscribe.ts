import { randomBytes, randomUUID } from 'node:crypto';
import type { SubscribeInput } from '@aws-sdk/client-sns';
import { ServiceError } from '../../aws/service.ts';
import type { SnsParts } from '../parts.ts';

/** Mails and web hooks are kept for reading; a function is invoked. Queues, telephones and streams are not there. */
const PROTOCOLS = ['email', 'email-json', 'http', 'https', 'lambda'];

/** A second subscription of the same endpoint is the first. A function needs no confirmation. */
export const subscribe =
  ({ store }: SnsParts) =>
  (input: SubscribeInput) => {
    const { TopicArn = '', Protocol = '', Endpoint = '', Attributes = {}, ReturnSubscriptionArn = false } = input;
    const topic = store.get(TopicArn);
    if (!PROTOCOLS.includes(Protocol)) {
      throw new ServiceError('InvalidParameter', `Invalid parameter: the rehearsal has no protocol ${Protocol}`);
    }
    const [attribute] = Object.keys(Attributes);
    if (attribute !== undefined) {
      throw new ServiceError(
        'InvalidParameter',
        `Invalid parameter: the rehearsal's subscriptions have no ${attribute}`,
      );
    }
    const known = store
      .subscriptionsOf(topic.arn)
      .find((each) => each.protocol === Protocol && each.endpoint === Endpoint);
    const subscription = known ?? {
      arn: `${topic.arn}:${randomUUID()}`,
      topicArn: topic.arn,
      protocol: Protocol,
      endpoint: Endpoint,
      token: randomBytes(64).toString('hex'),
      isConfirmed: Protocol === 'lambda',
    };
    store.subscriptions.set(subscription.arn, subscription);
    const { arn, isConfirmed } = subscription;
    return { SubscriptionArn: isConfirmed || ReturnSubscriptionArn ? arn : 'pending confirmation' };
  };
