/** Topics, who subscribes to them, and what was sent: kept for reading, since no rehearsal sends a mail. */
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';

export interface Message {
  readonly messageId: string;
  readonly topicArn: string;
  readonly subject: string | undefined;
  readonly message: string;
  /** Access key id, or the service's principal. */
  readonly from: string;
  readonly at: number;
  /** `email:ops@example.com`, one for each confirmed subscription that it went to. */
  readonly sentTo: readonly string[];
}

export interface Subscription {
  readonly arn: string;
  readonly topicArn: string;
  readonly protocol: string;
  readonly endpoint: string;
  readonly token: string;
  isConfirmed: boolean;
}

export interface Topic {
  readonly arn: string;
  readonly name: string;
  readonly attributes: Record<string, string>;
  readonly tags: Map<string, string>;
}

export class TopicStore {
  readonly topics = new Map<string, Topic>();
  readonly subscriptions = new Map<string, Subscription>();
  /** Oldest first. */
  readonly messages: Message[] = [];

  /** By name: one that is there already is answered, as the service does. */
  create(name: string, attributes: Readonly<Record<string, string>>, tags: ReadonlyMap<string, string>): Topic {
    if (!/^[\w-]{1,256}$/.test(name)) {
      throw new ServiceError('InvalidParameter', `Invalid parameter: Topic Name`);
    }
    const arn = `arn:aws:sns:${REGION}:${ACCOUNT_ID}:${name}`;
    const topic = this.topics.get(arn) ?? { arn, name, attributes: { ...attributes }, tags: new Map(tags) };
    this.topics.set(arn, topic);
    return topic;
  }

  /** @throws ServiceError NotFound */
  get(arn: string): Topic {
    if (!/^arn:aws:sns:[\w-]+:\d{12}:[\w-]+$/.test(arn))
      throw new ServiceError('InvalidParameter', 'Invalid parameter: TopicArn');
    const topic = this.topics.get(arn);
    if (topic === undefined) throw new ServiceError('NotFound', 'Topic does not exist', 404);
    return topic;
  }

  /** Of one that is gone: succeeds. Its subscriptions go with it. */
  delete(arn: string): void {
    this.topics.delete(arn);
    for (const each of this.subscriptionsOf(arn)) this.subscriptions.delete(each.arn);
  }

  subscriptionsOf(topicArn: string): Subscription[] {
    return [...this.subscriptions.values()].filter((each) => each.topicArn === topicArn);
  }
}
