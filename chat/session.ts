import { randomBytes } from 'node:crypto';
import { type Client, limitKey } from './client-address.ts';
import { Frame } from './frame.ts';
import type { Hub } from './hub.ts';
import { type AddressLimits, Bucket } from './limits.ts';
import { parse, personOf, RefusedError } from './parse.ts';
import type { ClientMessage, Join, Position, RefusalCode, Send, ServerMessage, Typing } from './protocol.ts';
import type { Membership, Room } from './room.ts';
import { StorageAwayError } from './store.ts';

/** The way to one client, whatever the transport. */
export interface Peer {
  readonly transport: 'websocket' | 'events';
  send(frame: Frame): void;
  /** Resolves when little waits to be written. */
  drained(): Promise<void>;
  close(code: number, reason: string): void;
  /** At once, without a word. */
  terminate(): void;
}

/** Messages in one `joined` or `history`. */
const PAGE_MESSAGES = 200;
const MEMBERS_ON_JOIN = 200;
/** Refused messages after which a connection that goes on is closed (1008). */
const PATIENCE = 200;

/** One client's connection: its rooms, its limits, and what it says. */
export class Session {
  readonly peer: Peer;
  readonly client: Client;
  readonly #hub: Hub;
  readonly #limits: AddressLimits;
  readonly #limitKey: string | null;
  readonly #bucket: Bucket;
  readonly #rooms = new Map<string, { readonly room: Room; readonly membership: Membership }>();
  /** Who this is as long as it gives no key. */
  readonly #ownKey = randomBytes(18).toString('base64url');
  #refusals = 0;
  #isEnded = false;

  constructor(hub: Hub, limits: AddressLimits, client: Client, peer: Peer) {
    this.#hub = hub;
    this.#limits = limits;
    this.#limitKey = limitKey(client);
    this.#bucket = new Bucket(hub.config.messagesPerSecond, hub.now());
    this.client = client;
    this.peer = peer;
    hub.sessions.add(this);
    const { instance, heartbeatSeconds, messageBytes, nameCharacters, roomCharacters } = hub.config;
    this.#send({
      type: 'welcome',
      protocol: 1,
      instance,
      ...client,
      heartbeatMs: heartbeatSeconds * 1000,
      storage: hub.store.state,
      limits: { messageBytes, nameCharacters, roomCharacters },
    });
  }

  /** One message as it came; whatever is wrong with it is answered, and never thrown. */
  receive(json: string): void {
    let message: ClientMessage | undefined;
    try {
      this.#throttle();
      message = parse('message', json, this.#hub.config);
      this.#hub.metrics.received.inc({ type: message.type });
      this.#handle(message).catch((error: unknown) => this.refuse(error, message));
    } catch (error) {
      this.refuse(error, message ?? roomAndIdOf(json));
    }
  }

  join(message: Join): Promise<void> {
    return this.#join(message);
  }

  refuse(error: unknown, about?: object): void {
    if (this.#isEnded) return;
    const { code, message, retryAfterMs } = refusalOf(error, this.#hub);
    const { room, id } = (about ?? {}) as { readonly room?: string; readonly id?: string };
    this.#hub.metrics.refused.inc({ code });
    this.#send({ type: 'error', code, message, room, id, retryAfterMs });
    this.#refusals += 1;
    if (this.#refusals > PATIENCE) this.peer.close(1008, 'too many refused messages');
  }

  /** The connection is gone. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#hub.sessions.delete(this);
    for (const { room, membership } of this.#rooms.values()) room.remove(membership, false);
    this.#rooms.clear();
  }

  async #handle(message: ClientMessage): Promise<void> {
    switch (message.type) {
      case 'join':
        return this.#join(message);
      case 'leave':
        return this.#leave(message.room);
      case 'send':
        return this.#say(message);
      case 'typing':
        return this.#type(message);
      case 'ping':
        return this.#send({ type: 'pong', n: message.n, at: this.#hub.now() });
    }
  }

  async #join({ room: name, name: personName, key, since }: Join): Promise<void> {
    if (!this.#rooms.has(name) && this.#rooms.size >= this.#hub.config.roomsPerConnection) {
      throw new RefusedError('too-many-rooms', `At most ${this.#hub.config.roomsPerConnection} rooms at a time.`);
    }
    this.#leave(name);
    const room = this.#hub.room(name);
    const person = personOf(key ?? this.#ownKey);
    const membership: Membership = { session: this, person, name: personName, epoch: '', offset: 0, isLive: false };
    room.add(membership);
    this.#rooms.set(name, { room, membership });
    try {
      await room.opened();
      await this.#catchUp(room, membership, since ?? null);
    } catch (error) {
      if (this.#rooms.get(name)?.membership === membership) this.#leave(name);
      throw error;
    }
  }

  /**
   * Give the past, page by page and no faster than the client reads it, until it meets the present. Between the last page and
   * going live nothing is awaited, so that no message falls between.
   */
  async #catchUp(room: Room, membership: Membership, since: Position | null): Promise<void> {
    const isCurrent = () => this.#rooms.get(room.name)?.membership === membership;
    let from = since;
    for (let isFirst = true; ; isFirst = false) {
      const limit = isFirst && since === null ? this.#hub.config.historyOnJoin : PAGE_MESSAGES;
      const page = await this.#hub.store.read(room.name, from, limit);
      if (!isCurrent()) return;
      const { epoch, offset, messages: history, complete } = page;
      // A later page that does not follow on the one before: the stream was trimmed or lost while it was being read.
      const isBroken = !isFirst && !complete;
      const live = room.position;
      const more = page.more || (live?.epoch === epoch && offset < live.offset);
      if (isFirst || isBroken) {
        const recovered = since === null && isFirst ? 'new' : complete ? 'complete' : 'lost';
        const { members, memberCount } = room.presence.announced(MEMBERS_ON_JOIN);
        this.#hub.metrics.joins.inc({ recovered });
        this.#send({
          type: 'joined',
          room: room.name,
          epoch,
          offset,
          recovered,
          history,
          more,
          person: membership.person,
          members,
          memberCount,
        });
      } else {
        this.#send({ type: 'history', room: room.name, epoch, offset, history, more });
      }
      membership.epoch = epoch;
      membership.offset = offset;
      from = { epoch, offset };
      if (!more) {
        membership.isLive = true;
        return;
      }
      await this.peer.drained();
      if (!isCurrent()) return;
    }
  }

  #leave(name: string): void {
    const entered = this.#rooms.get(name);
    if (entered === undefined) return;
    this.#rooms.delete(name);
    entered.room.remove(entered.membership, true);
  }

  async #say({ room, id, text }: Send): Promise<void> {
    const { membership } = this.#entered(room);
    const { person, name } = membership;
    const started = performance.now();
    const position = await this.#hub.store.append({ room, id, person, name, text, at: this.#hub.now() });
    this.#hub.metrics.appendSeconds.observe((performance.now() - started) / 1000);
    this.#send({ type: 'ack', room, id, ...position });
  }

  #type({ room: name, typing }: Typing): void {
    const { room, membership } = this.#entered(name);
    const signal = { person: membership.person, name: membership.name, typing };
    room.typing(signal, membership);
    this.#hub.store.typing(name, signal);
  }

  #entered(name: string): { readonly room: Room; readonly membership: Membership } {
    const entered = this.#rooms.get(name);
    if (entered === undefined) throw new RefusedError('not-joined', `Join the room ${name} before.`);
    return entered;
  }

  #throttle(): void {
    throttle(this.#bucket.take(this.#hub.now()) || this.#limits.message(this.#limitKey));
  }

  #send(message: ServerMessage): void {
    if (!this.#isEnded) this.peer.send(new Frame(message));
  }
}

/** @throws RefusedError  rate-limited, where something has to be waited for */
export function throttle(retryAfterMs: number): void {
  if (retryAfterMs > 0) {
    throw new RefusedError('rate-limited', `Too many messages; try again in ${retryAfterMs} ms.`, retryAfterMs);
  }
}

/** What a client is told of an error. What is not its doing and not foreseen is logged, and told as the store's being away. */
export function refusalOf(
  error: unknown,
  { log, store }: Pick<Hub, 'log' | 'store'>,
): { readonly code: RefusalCode; readonly message: string; readonly retryAfterMs?: number | undefined } {
  if (error instanceof RefusedError) return error;
  if (!(error instanceof StorageAwayError)) log.error({ err: error, storage: store.state }, 'unexpected error');
  return {
    code: 'storage-away',
    message: 'The message store does not answer; nothing is lost if you send again.',
    retryAfterMs: 1000,
  };
}

/** Of a message that was refused before it was understood: enough for the client to know which one it was. */
function roomAndIdOf(json: string): { room?: string; id?: string } {
  try {
    const { room, id } = JSON.parse(json) as Record<string, unknown>;
    return {
      ...(typeof room === 'string' && room.length <= 200 ? { room } : {}),
      ...(typeof id === 'string' && id.length <= 64 ? { id } : {}),
    };
  } catch {
    return {};
  }
}
