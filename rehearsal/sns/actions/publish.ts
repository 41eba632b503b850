import { randomUUID } from 'node:crypto';
import type { PublishInput } from '@aws-sdk/client-sns';
import { onlyTakes } from '../../aws/only-takes.ts';
import { type CallContext, ServiceError } from '../../aws/service.ts';
import { serviceKey } from '../../aws/service-caller.ts';
import type { SnsParts } from '../parts.ts';
import { mayPublish } from '../policy.ts';

/** Source: API reference, Publish: at most 256 KB; a subject of at most 100 characters of ASCII, without line breaks. */
const MAX_BYTES = 262_144;
const TAKEN = ['TopicArn', 'TargetArn', 'Subject', 'Message', 'MessageAttributes'];

export const publish =
  ({ store, dispatcher, now }: SnsParts) =>
  async (input: PublishInput, { accessKeyId }: CallContext) => {
    onlyTakes('Publish', input, TAKEN, 'InvalidParameter');
    const { Subject, Message = '' } = input;
    const topic = store.get(input.TopicArn ?? input.TargetArn ?? '');
    mayPublish(topic, accessKeyId);
    if (Message === '') throw new ServiceError('InvalidParameter', 'Invalid parameter: Empty message');
    if (Buffer.byteLength(Message) > MAX_BYTES)
      throw new ServiceError('InvalidParameter', 'Invalid parameter: Message too long');
    if (Subject !== undefined && !/^[!-~][ -~]{0,99}$/.test(Subject)) {
      throw new ServiceError('InvalidParameter', 'Invalid parameter: Subject');
    }
    const messageId = randomUUID();
    const subscriptions = store.subscriptionsOf(topic.arn).filter(({ isConfirmed }) => isConfirmed);
    store.messages.push({
      messageId,
      topicArn: topic.arn,
      subject: Subject,
      message: Message,
      from: accessKeyId,
      at: now(),
      sentTo: subscriptions.map(({ protocol, endpoint }) => `${protocol}:${endpoint}`),
    });
    const caller = serviceKey({ principal: 'sns.amazonaws.com', sourceArn: topic.arn });
    for (const { protocol, endpoint, arn } of subscriptions) {
      if (protocol !== 'lambda') continue;
      const Sns = { Type: 'Notification', MessageId: messageId, TopicArn: topic.arn, Subject, Message };
      const Records = [{ EventSource: 'aws:sns', EventVersion: '1.0', EventSubscriptionArn: arn, Sns }];
      const Payload = new Uint8Array(Buffer.from(JSON.stringify({ Records })));
      // The publisher does not hear of what becomes of a delivery.
      await dispatcher()
        .call('lambda', 'Invoke', { FunctionName: endpoint, InvocationType: 'Event', Payload }, caller)
        .catch(() => undefined);
    }
    return { MessageId: messageId };
  };
