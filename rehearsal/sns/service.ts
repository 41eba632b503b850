/** Simple Notification Service: topics, subscriptions, and messages that are kept for reading. */
import type { Dispatcher, Service } from '../aws/service.ts';
import { confirmSubscription } from './actions/confirm-subscription.ts';
import { createTopic } from './actions/create-topic.ts';
import { deleteTopic } from './actions/delete-topic.ts';
import { getTopicAttributes } from './actions/get-topic-attributes.ts';
import { listSubscriptions, listSubscriptionsByTopic } from './actions/list-subscriptions.ts';
import { listTopics } from './actions/list-topics.ts';
import { publish } from './actions/publish.ts';
import { setTopicAttributes } from './actions/set-topic-attributes.ts';
import { subscribe } from './actions/subscribe.ts';
import { unsubscribe } from './actions/unsubscribe.ts';
import type { SnsParts } from './parts.ts';
import { type Message, TopicStore } from './topic-store.ts';

export interface SnsService extends Service {
  /** All that was published, oldest first. */
  readonly messages: readonly Message[];
  /** What a subscriber finds in the mail, by the ARN of the subscription: needed to confirm it. */
  confirmationToken(subscriptionArn: string): string | undefined;
}

export interface SnsOptions {
  readonly dispatcher: () => Dispatcher;
  readonly now?: () => number;
}

export function createSnsService({ dispatcher, now = Date.now }: SnsOptions): SnsService {
  const store = new TopicStore();
  const parts: SnsParts = { store, dispatcher, now };
  return {
    signingName: 'sns',
    protocol: 'awsQuery',
    messages: store.messages,
    confirmationToken: (arn) => store.subscriptions.get(arn)?.token,
    actions: {
      ConfirmSubscription: confirmSubscription(parts),
      CreateTopic: createTopic(parts),
      DeleteTopic: deleteTopic(parts),
      GetTopicAttributes: getTopicAttributes(parts),
      ListSubscriptions: listSubscriptions(parts),
      ListSubscriptionsByTopic: listSubscriptionsByTopic(parts),
      ListTopics: listTopics(parts),
      Publish: publish(parts),
      SetTopicAttributes: setTopicAttributes(parts),
      Subscribe: subscribe(parts),
      Unsubscribe: unsubscribe(parts),
    },
  };
}
