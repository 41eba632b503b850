import { randomBytes } from 'node:crypto';
import { createClient } from 'redis';
import type { Config } from './config.ts';
import type { Log } from './log.ts';
import type { ChatMessage, Member, Position, StorageState } from './protocol.ts';
import { APPEND, BEAT, PRESENT, READ, type Script } from './redis-scripts.ts';
import {
  type NewMessage,
  type Page,
  StorageAwayError,
  type Store,
  type StoreEvents,
  type TypingSignal,
} from './store.ts';

/** How often an instance says that it lives, and after how long in silence the others take it for gone. */
const BEAT_MS = 5000;
const GONE_AFTER_SECONDS = 20;
/** A Redis that says nothing for this long, although it is pinged, counts as away. */
const SILENCE_MS = 5000;
const PING_MS = 2000;
const CATCH_UP_MESSAGES = 500;
const RETRY_MS = 250;
/** Keys of presence outlive their last change by this: long enough for any room, and a crash leaves nothing for good. */
const PRESENCE_SECONDS = 86_400;
/** How long a start waits for Redis before it goes on without. */
const START_MS = 2000;

/** One watched room: how far its stream has been told, and who is in it elsewhere. */
type Feed = {
  readonly room: string;
  cursor: Position | null;
  isReading: boolean;
  /** Something was published while the stream was being read. */
  isBehind: boolean;
  readonly elsewhere: Map<string, { readonly instance: string; readonly member: Member }>;
  /** Changes of presence that came while the whole was being read, and are newer than it. */
  newer: { readonly instance: string; readonly member: Member }[] | null;
};

type Client = ReturnType<typeof createClient>;

/**
 * Rooms in a Redis or Valkey that several instances share.
 *
 * Messages are kept in a stream per room and published in the same script. What is published is only the quick way: each
 * instance knows how far it has come in each room, and reads the stream from there whenever an offset does not follow, and
 * after every reconnect. So neither a lost publication nor a Redis that was away loses a message or tells it twice.
 */
export class RedisStore implements Store {
  readonly #config: Config;
  readonly #log: Log;
  /** Of this process, since two may run on one machine. */
  readonly #id = randomBytes(9).toString('base64url');
  readonly #commands: Client;
  readonly #subscriber: Client;
  readonly #feeds = new Map<string, Feed>();
  readonly #leaving = new Map<string, Promise<unknown>>();
  /** Who is in which room on this instance: written again when Redis comes back, perhaps empty. */
  readonly #here = new Map<string, Map<string, Member>>();
  #alive = new Set<string>();
  #events: StoreEvents | undefined;
  #state: StorageState = 'away';
  #reason = 'not connected yet';
  #onUp: () => void = () => {};
  #wantsResync = false;
  #isResyncing = false;
  #beatTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(config: Config, log: Log) {
    this.#config = config;
    this.#log = log;
    this.#commands = createClient({
      url: config.redisUrl,
      name: `chat-${config.instance}`.replace(/[^\w.-]/g, '_'),
      // What cannot be sent now is refused now: the client that wrote it sends it again, in its own order.
      disableOfflineQueue: true,
      pingInterval: PING_MS,
      socket: {
        connectTimeout: SILENCE_MS,
        socketTimeout: SILENCE_MS,
        keepAlive: true,
        reconnectStrategy: (retries) => Math.min(1000, 25 * 2 ** retries) * (0.5 + Math.random() / 2),
      },
    });
    this.#subscriber = this.#commands.duplicate();
    for (const client of [this.#commands, this.#subscriber]) {
      client.on('error', (error: Error) => this.#setState('away', error.message));
      client.on('reconnecting', () => this.#setState('away', 'the connection broke'));
      client.on('ready', () => this.#resync());
    }
  }

  get state(): StorageState {
    return this.#state;
  }

  get reason(): string {
    return this.#reason;
  }

  async start(events: StoreEvents): Promise<void> {
    this.#events = events;
    const up = new Promise<void>((resolve) => {
      this.#onUp = resolve;
    });
    // A connection that cannot be made is tried again for as long as it takes; `error` events say so.
    for (const client of [this.#commands, this.#subscriber]) client.connect().catch(() => {});
    await Promise.race([up, new Promise((resolve) => setTimeout(resolve, START_MS).unref())]);
    this.#beatTimer = setInterval(() => this.#beat(), BEAT_MS);
    this.#beatTimer.unref();
  }

  async append(message: NewMessage): Promise<Position> {
    const { room, ...rest } = message;
    const { historyMessages, historySeconds, dedupeSeconds } = this.#config;
    const [epoch, offset] = (await this.#run(
      APPEND,
      [this.#key(room, 'room'), this.#key(room, 'stream'), this.#key(room, `id:${message.person}:${message.id}`)],
      [
        this.#channel(room),
        newEpoch(),
        String(historyMessages),
        String(historySeconds),
        String(dedupeSeconds * 1000),
        JSON.stringify(rest),
      ],
    )) as [string, string];
    return { epoch, offset: Number(offset) };
  }

  read(room: string, since: Position | null, limit: number): Promise<Page> {
    return this.#read(room, since, limit, false);
  }

  async watch(room: string): Promise<Position> {
    this.#assertUp();
    const feed: Feed = { room, cursor: null, isReading: true, isBehind: false, elsewhere: new Map(), newer: null };
    this.#feeds.set(room, feed);
    try {
      await this.#leaving.get(room);
      // The order matters: what is published after this is heard, and what was published before is in the stream.
      await this.#subscriber.subscribe(this.#channel(room), this.#heard);
      const { epoch, offset } = await this.#read(room, null, 0, false);
      feed.cursor = { epoch, offset };
      feed.isReading = false;
      if (feed.isBehind) this.#catchUp(feed).catch(() => {});
      return { epoch, offset };
    } catch (error) {
      this.unwatch(room);
      throw away(error);
    }
  }

  unwatch(room: string): void {
    this.#feeds.delete(room);
    // The client library forgets the listener when Redis has answered: a subscription that came before that would be lost with it.
    const leaving = this.#subscriber
      .unsubscribe(this.#channel(room), this.#heard)
      .catch(() => {})
      .finally(() => {
        if (this.#leaving.get(room) === leaving) this.#leaving.delete(room);
      });
    this.#leaving.set(room, leaving);
  }

  announce(room: string, member: Member): void {
    const { person, name, tabs } = member;
    let people = this.#here.get(room);
    if (people === undefined) {
      people = new Map();
      this.#here.set(room, people);
    }
    if (tabs > 0) people.set(person, member);
    else people.delete(person);
    if (people.size === 0) this.#here.delete(room);

    const field = `${this.#id} ${person}`;
    const key = this.#key(room, 'present');
    const change = this.#commands.multi();
    if (tabs > 0) change.hSet(key, field, JSON.stringify({ name, tabs }));
    else change.hDel(key, field);
    change.expire(key, PRESENCE_SECONDS);
    change.publish(this.#channel(room), `p${JSON.stringify([this.#id, member])}`);
    // Where this fails, Redis is away, and everything is written again when it is back.
    change.exec().catch(() => {});
  }

  async present(room: string): Promise<readonly { readonly instance: string; readonly member: Member }[]> {
    const feed = this.#feeds.get(room);
    if (feed === undefined) return [];
    await this.#readPresence(feed);
    return [...feed.elsewhere.values()];
  }

  typing(room: string, signal: TypingSignal): void {
    this.#commands.publish(this.#channel(room), `t${JSON.stringify([this.#id, signal])}`).catch(() => {});
  }

  /** Redis forgets by itself. */
  sweep(): void {}

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#beatTimer);
    if (this.#commands.isReady) await this.#commands.zRem(this.#instancesKey, this.#id).catch(() => {});
    for (const client of [this.#commands, this.#subscriber]) if (client.isOpen) client.destroy();
  }

  /** Whatever comes on a room's channel: a message, a change of presence, a typing notice. */
  readonly #heard = (text: string, channel: string): void => {
    const feed = this.#feeds.get(this.#roomOf(channel));
    if (feed === undefined) return;
    if (text.startsWith('m')) {
      this.#heardMessage(feed, text);
      return;
    }
    const [instance, body] = JSON.parse(text.slice(1)) as [string, Member & TypingSignal];
    if (instance === this.#id) return;
    if (text.startsWith('p')) {
      feed.newer?.push({ instance, member: body });
      this.#setElsewhere(feed, instance, body);
    } else {
      this.#events?.typing(feed.room, body);
    }
  };

  #heardMessage(feed: Feed, text: string): void {
    if (feed.isReading || feed.cursor === null) {
      feed.isBehind = true;
      return;
    }
    const [epoch = '', offsetText = ''] = text.slice(1).split(' ', 2);
    const offset = Number(offsetText);
    const { cursor } = feed;
    if (epoch === cursor.epoch && offset <= cursor.offset) return;
    if (epoch !== cursor.epoch || offset !== cursor.offset + 1) {
      this.#catchUp(feed).catch(() => {});
      return;
    }
    const json = text.slice(1 + epoch.length + 1 + offsetText.length + 1);
    feed.cursor = { epoch, offset };
    this.#events?.message(feed.room, epoch, { offset, ...(JSON.parse(json) as Omit<ChatMessage, 'offset'>) });
  }

  /** Tell what the stream has after the cursor. Where Redis goes away in the middle, the reconnect begins again from there. */
  async #catchUp(feed: Feed): Promise<void> {
    if (feed.isReading || feed.cursor === null) return;
    feed.isReading = true;
    try {
      for (let more = true; more; ) {
        feed.isBehind = false;
        const page: Page = await this.#read(feed.room, feed.cursor, CATCH_UP_MESSAGES, true);
        if (this.#feeds.get(feed.room) !== feed) return;
        const { epoch, offset, messages, complete } = page;
        if (!complete) {
          this.#log.warn({ room: feed.room, from: feed.cursor, to: { epoch, offset } }, 'history lost');
          this.#events?.reset(feed.room, { epoch, offset: offset - messages.length });
        }
        feed.cursor = { epoch, offset };
        for (const message of messages) this.#events?.message(feed.room, epoch, message);
        more = page.more || feed.isBehind;
      }
    } finally {
      feed.isReading = false;
    }
  }

  async #read(room: string, since: Position | null, limit: number, isCertain: boolean): Promise<Page> {
    const [epoch, lastText, completeText, flat] = (await this.#run(
      READ,
      [this.#key(room, 'room'), this.#key(room, 'stream')],
      [
        newEpoch(),
        since?.epoch ?? '',
        String(since?.offset ?? 0),
        String(limit),
        String(this.#config.historySeconds),
        isCertain ? '1' : '0',
      ],
    )) as [string, string, string, string[]];
    const messages: ChatMessage[] = [];
    for (let i = 0; i < flat.length; i += 2) {
      messages.push({ offset: Number(flat[i]), ...(JSON.parse(flat[i + 1] ?? '') as Omit<ChatMessage, 'offset'>) });
    }
    const last = Number(lastText);
    const offset = messages.at(-1)?.offset ?? last;
    return { epoch, offset, messages, complete: completeText === '1', more: offset < last };
  }

  /** Make `elsewhere` what Redis has, and tell the differences. */
  async #readPresence(feed: Feed): Promise<void> {
    feed.newer = [];
    try {
      const flat = (await this.#run(
        PRESENT,
        [this.#key(feed.room, 'present'), this.#instancesKey],
        [String(GONE_AFTER_SECONDS)],
      )) as string[];
      const gone = new Map(feed.elsewhere);
      for (let i = 0; i < flat.length; i += 2) {
        const [instance = '', person = ''] = (flat[i] ?? '').split(' ');
        if (instance === this.#id) continue;
        gone.delete(`${instance} ${person}`);
        const { name, tabs } = JSON.parse(flat[i + 1] ?? '') as Omit<Member, 'person'>;
        this.#setElsewhere(feed, instance, { person, name, tabs });
      }
      for (const { instance, member } of gone.values()) this.#setElsewhere(feed, instance, { ...member, tabs: 0 });
      for (const { instance, member } of feed.newer) this.#setElsewhere(feed, instance, member);
    } finally {
      feed.newer = null;
    }
  }

  #setElsewhere(feed: Feed, instance: string, member: Member): void {
    const key = `${instance} ${member.person}`;
    const before = feed.elsewhere.get(key)?.member;
    if (member.tabs === (before?.tabs ?? 0) && member.name === (before?.name ?? member.name)) return;
    if (member.tabs > 0) feed.elsewhere.set(key, { instance, member });
    else feed.elsewhere.delete(key);
    this.#events?.presence(feed.room, instance, member);
  }

  /** Both connections stand again, perhaps to a Redis that has forgotten everything, or to another one. */
  async #resync(): Promise<void> {
    this.#wantsResync = true;
    if (this.#isResyncing) return;
    this.#isResyncing = true;
    try {
      while (this.#wantsResync) {
        // What breaks and stands again meanwhile has missed something: once more, from the beginning.
        this.#wantsResync = false;
        await this.#resyncOnce();
      }
    } finally {
      this.#isResyncing = false;
    }
  }

  async #resyncOnce(): Promise<void> {
    const isUp = () => this.#commands.isReady && this.#subscriber.isReady && !this.#isClosed;
    if (!isUp()) return;
    try {
      await this.#sayAlive();
      this.#writePresence();
      await Promise.all(
        Array.from(this.#feeds.values(), async (feed) => {
          await this.#catchUp(feed);
          await this.#readPresence(feed);
        }),
      );
      // Told after what others said meanwhile: who sends again now, sends after that.
      if (isUp() && !this.#wantsResync) this.#setState('ok', '');
    } catch (error) {
      this.#setState('away', (error as Error).message);
      // The connections may stand, and no event come: a Redis that still loads its data refuses every command.
      setTimeout(() => this.#resync(), RETRY_MS).unref();
    }
  }

  #writePresence(): void {
    for (const [room, people] of this.#here) for (const member of people.values()) this.announce(room, member);
  }

  async #sayAlive(): Promise<{ readonly isNew: boolean }> {
    const [added, alive] = (await this.#run(BEAT, [this.#instancesKey], [this.#id, String(GONE_AFTER_SECONDS)])) as [
      string,
      string[],
    ];
    const now = new Set(alive);
    for (const instance of this.#alive) {
      if (now.has(instance)) continue;
      for (const { elsewhere } of this.#feeds.values()) {
        for (const [key, each] of elsewhere) if (each.instance === instance) elsewhere.delete(key);
      }
      this.#events?.instanceGone(instance);
    }
    this.#alive = now;
    return { isNew: added === '1' };
  }

  /** An instance that was silent for too long (a machine that was suspended) has been taken for gone: it writes itself in again. */
  #beat(): void {
    if (this.#state !== 'ok') return;
    this.#sayAlive().then(
      ({ isNew }) => {
        if (isNew) this.#writePresence();
      },
      () => {},
    );
  }

  async #run(script: Script, keys: string[], args: string[]): Promise<unknown> {
    try {
      return await this.#commands.evalSha(script.sha, { keys, arguments: args });
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw away(error);
    }
    try {
      return await this.#commands.eval(script.source, { keys, arguments: args });
    } catch (error) {
      throw away(error);
    }
  }

  #assertUp(): void {
    if (this.#state === 'away') throw new StorageAwayError(this.#reason);
  }

  #setState(state: StorageState, reason: string): void {
    if (this.#isClosed) return;
    const before = this.#state;
    this.#state = state;
    this.#reason = reason;
    if (state === 'ok') this.#onUp();
    if (state !== before) this.#events?.state(state);
  }

  /** The braces keep a room's keys in one slot of a cluster; room names have none themselves. */
  #key(room: string, what: string): string {
    return `${this.#config.redisPrefix}:{${room}}:${what}`;
  }

  #channel(room: string): string {
    return `${this.#config.redisPrefix}:channel:${room}`;
  }

  #roomOf(channel: string): string {
    return channel.slice(`${this.#config.redisPrefix}:channel:`.length);
  }

  get #instancesKey(): string {
    return `${this.#config.redisPrefix}:instances`;
  }
}

const newEpoch = (): string => randomBytes(6).toString('base64url');

const away = (error: unknown): StorageAwayError =>
  error instanceof StorageAwayError ? error : new StorageAwayError((error as Error).message, { cause: error });
