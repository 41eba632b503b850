/** Log groups, their streams and events: what Lambda writes and people read. */
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';

export interface LogEvent {
  readonly eventId: string;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
}

interface LogStream {
  readonly name: string;
  readonly createdAt: number;
  events: LogEvent[];
}

export interface LogGroup {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly streams: Map<string, LogStream>;
  readonly tags: Readonly<Record<string, string>>;
  /** undefined = for ever. Nothing is removed by it: no rehearsal lasts a day. */
  retentionInDays: number | undefined;
}

/** Of each stream; older ones are dropped, half of them at once. */
const KEPT_EVENTS = 10_000;

export class LogStore {
  readonly #groups = new Map<string, LogGroup>();
  readonly #now: () => number;
  #lastEventId = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** @throws ServiceError ResourceAlreadyExistsException */
  create(name: string, tags: Readonly<Record<string, string>>): LogGroup {
    if (this.#groups.has(name)) {
      throw new ServiceError('ResourceAlreadyExistsException', 'The specified log group already exists');
    }
    const group: LogGroup = {
      name,
      arn: `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:${name}`,
      createdAt: this.#now(),
      streams: new Map(),
      tags,
      retentionInDays: undefined,
    };
    this.#groups.set(name, group);
    return group;
  }

  /** @throws ServiceError ResourceNotFoundException */
  get(name: string): LogGroup {
    const group = this.#groups.get(name);
    if (group === undefined) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log group does not exist.');
    }
    return group;
  }

  /** By either of the names that the reading actions take. An identifier is the name or the ARN. */
  named(input: {
    readonly logGroupName?: string | undefined;
    readonly logGroupIdentifier?: string | undefined;
  }): LogGroup {
    const identified = input.logGroupIdentifier?.replace(/^arn:.*:log-group:/, '').replace(/:\*$/, '');
    return this.get(identified ?? input.logGroupName ?? '');
  }

  delete(name: string): void {
    this.get(name);
    this.#groups.delete(name);
  }

  /** By name. */
  all(): readonly LogGroup[] {
    return [...this.#groups.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  /** As Lambda writes: a group or a stream that is not there is made. */
  append(groupName: string, streamName: string, message: string): void {
    const group = this.#groups.get(groupName) ?? this.create(groupName, {});
    const at = this.#now();
    const stream = group.streams.get(streamName) ?? { name: streamName, createdAt: at, events: [] };
    group.streams.set(streamName, stream);
    this.#lastEventId += 1;
    stream.events.push({ eventId: String(this.#lastEventId).padStart(56, '0'), timestamp: at, message });
    if (stream.events.length > 2 * KEPT_EVENTS) stream.events = stream.events.slice(-KEPT_EVENTS);
  }
}
