import { Frame } from './frame.ts';
import type { Hub } from './hub.ts';
import { LEAVE_GRACE_MS, Presence } from './presence.ts';
import type { ChatMessage, Member, Position } from './protocol.ts';
import type { Session } from './session.ts';
import type { TypingSignal } from './store.ts';

/** Changes of presence within this time, and a quarter of a millisecond more per member, are told together. */
const PRESENCE_BATCH_MS = 250;
/** In a larger room nobody is told who types: it would be noise, and its cost grows with the square of the room. */
const TYPING_MEMBERS = 200;

/** One session in one room. `offset` is the last message that it was given; not `isLive`: it is still being given the past. */
export type Membership = {
  readonly session: Session;
  readonly person: string;
  name: string;
  epoch: string;
  offset: number;
  isLive: boolean;
};

/** A room as this instance sees it: who of its sessions is in it, and how far the stream has been told to them. */
export class Room {
  readonly name: string;
  readonly presence = new Presence();
  readonly #hub: Hub;
  readonly #onEmpty: () => void;
  readonly #members = new Set<Membership>();
  readonly #tabs = new Map<string, number>();
  /** Where the stream stands that is told to live members. */
  #position: Position | null = null;
  #opening: Promise<void> | null = null;
  #isOpening = false;
  #presenceTimer: NodeJS.Timeout | null = null;
  #isClosed = false;

  constructor(name: string, hub: Hub, onEmpty: () => void) {
    this.name = name;
    this.#hub = hub;
    this.#onEmpty = onEmpty;
  }

  get position(): Position | null {
    return this.#position;
  }

  /** @returns when the stream is being followed; rejects with StorageAwayError, and may be called again */
  opened(): Promise<void> {
    this.#opening ??= this.#open().then(
      () => {
        this.#isOpening = false;
        this.#closeIfEmpty();
      },
      (error: unknown) => {
        this.#isOpening = false;
        this.#opening = null;
        this.#closeIfEmpty();
        throw error;
      },
    );
    return this.#opening;
  }

  add(membership: Membership): void {
    this.#members.add(membership);
    this.#count(membership, 1, 0);
  }

  /** @param isDeliberate  false: the connection broke, and may be back in a moment */
  remove(membership: Membership, isDeliberate: boolean): void {
    if (!this.#members.delete(membership)) return;
    this.#count(membership, -1, isDeliberate ? 0 : LEAVE_GRACE_MS);
    this.#closeIfEmpty();
  }

  deliver(epoch: string, message: ChatMessage): void {
    if (this.#position !== null) this.#position = { epoch, offset: message.offset };
    const frame = new Frame({ type: 'message', room: this.name, epoch, ...message });
    let delivered = 0;
    for (const membership of this.#members) {
      if (!membership.isLive || membership.epoch !== epoch || membership.offset >= message.offset) continue;
      membership.offset = message.offset;
      membership.session.peer.send(frame);
      delivered += 1;
    }
    this.#hub.metrics.delivered.inc(delivered);
  }

  reset(position: Position): void {
    this.#position = position;
    const frame = new Frame({ type: 'reset', room: this.name, ...position });
    for (const membership of this.#members) {
      const isPast = membership.epoch === position.epoch && membership.offset >= position.offset;
      if (!membership.isLive || isPast) continue;
      membership.epoch = position.epoch;
      membership.offset = position.offset;
      membership.session.peer.send(frame);
    }
  }

  setPresent(instance: string, member: Member): void {
    this.presence.set(instance, member, this.#hub.now(), LEAVE_GRACE_MS);
    this.#schedulePresence();
  }

  dropInstance(instance: string): void {
    this.presence.dropInstance(instance, this.#hub.now());
    this.#schedulePresence();
  }

  /** @param except  the membership that types, which need not be told; null: on another instance */
  typing(signal: TypingSignal, except: Membership | null): void {
    if (this.#members.size > TYPING_MEMBERS) return;
    const frame = new Frame({ type: 'typing', room: this.name, ...signal });
    for (const membership of this.#members) {
      if (membership !== except && membership.isLive && membership.person !== signal.person) {
        membership.session.peer.send(frame);
      }
    }
  }

  async #open(): Promise<void> {
    this.#isOpening = true;
    this.#position = await this.#hub.store.watch(this.name);
    const others = await this.#hub.store.present(this.name);
    for (const { instance, member } of others) this.presence.set(instance, member, this.#hub.now());
    this.presence.takeChange(this.#hub.now());
  }

  #count({ person, name }: Membership, by: 1 | -1, graceMs: number): void {
    const tabs = (this.#tabs.get(person) ?? 0) + by;
    if (tabs > 0) this.#tabs.set(person, tabs);
    else this.#tabs.delete(person);
    const member = { person, name, tabs };
    this.presence.set(this.#hub.config.instance, member, this.#hub.now(), graceMs);
    this.#hub.store.announce(this.name, member);
    this.#schedulePresence();
  }

  /** Runs on while anything is due later: the grace of somebody whose connection broke. */
  #schedulePresence(): void {
    if (this.#presenceTimer !== null || this.#isClosed) return;
    this.#presenceTimer = setTimeout(
      () => {
        this.#presenceTimer = null;
        this.#tellPresence();
        if (this.presence.hasPending) this.#schedulePresence();
      },
      PRESENCE_BATCH_MS + this.#members.size / 4,
    );
    this.#presenceTimer.unref();
  }

  #tellPresence(): void {
    const change = this.presence.takeChange(this.#hub.now());
    if (change === null) return;
    const { memberCount } = this.presence;
    const frame = new Frame({ type: 'presence', room: this.name, ...change, memberCount });
    for (const membership of this.#members) if (membership.isLive) membership.session.peer.send(frame);
  }

  /** Not while it opens: the store must not be asked to watch a room again that it has not stopped to watch. */
  #closeIfEmpty(): void {
    if (this.#members.size > 0 || this.#isOpening || this.#isClosed) return;
    this.#isClosed = true;
    if (this.#presenceTimer !== null) clearTimeout(this.#presenceTimer);
    if (this.#position !== null) this.#hub.store.unwatch(this.name);
    this.#onEmpty();
  }
}
