import { randomBytes } from 'node:crypto';
import type { Config } from './config.ts';
import type { Entry, Journal } from './journal.ts';
import type { ChatMessage, Position, StorageState } from './protocol.ts';
import { type NewMessage, type Page, StorageAwayError, type Store, type StoreEvents } from './store.ts';

type Stream = {
  readonly epoch: string;
  /** Offset of the newest message; the oldest kept has `offset - messages.length + 1`. */
  offset: number;
  readonly messages: ChatMessage[];
  usedAt: number;
  isWatched: boolean;
};

/** What a kept message costs beside its text and names, and a room beside its messages: measured roughly, to bound, not to account. */
const MESSAGE_OVERHEAD_BYTES = 300;
const ROOM_OVERHEAD_BYTES = 600;
/** Ids that are recognised when they come again, at most, however long CHAT_DEDUPE_SECONDS is. */
const MAX_KNOWN_IDS = 200_000;

type Pending = { readonly message: NewMessage; resolve(position: Position): void; reject(error: Error): void };

/** Rooms in this process's memory, for one instance; with a journal they outlive it. */
export class MemoryStore implements Store {
  readonly #config: Config;
  readonly #journal: Journal | null;
  readonly #now: () => number;
  /** In the order in which they were last written to, so that the one to be trimmed is the first. */
  readonly #streams = new Map<string, Stream>();
  readonly #known = new Map<string, Position & { readonly at: number }>();
  #bytes = 0;
  #pending: Pending[] = [];
  #writing: Promise<void> | null = null;
  #events: StoreEvents | undefined;
  #reason = '';

  constructor(config: Config, options: { journal: Journal | null; entries: readonly Entry[]; now: () => number }) {
    this.#config = config;
    this.#journal = options.journal;
    this.#now = options.now;
    for (const entry of options.entries) this.#restore(entry);
  }

  get state(): StorageState {
    return this.#reason === '' ? 'ok' : 'away';
  }

  get reason(): string {
    return this.#reason;
  }

  async start(events: StoreEvents): Promise<void> {
    this.#events = events;
  }

  append(message: NewMessage): Promise<Position> {
    return new Promise((resolve, reject) => {
      const pending = { message, resolve, reject };
      if (this.#journal === null) return this.#keep(pending);
      this.#pending.push(pending);
      this.#writing ??= this.#write(this.#journal);
    });
  }

  async read(room: string, since: Position | null, limit: number): Promise<Page> {
    const stream = this.#stream(room);
    const first = stream.offset - stream.messages.length + 1;
    const complete =
      since !== null && since.epoch === stream.epoch && since.offset <= stream.offset && since.offset >= first - 1;
    const start = complete ? since.offset + 1 - first : Math.max(0, stream.messages.length - limit);
    const messages = stream.messages.slice(start, start + limit);
    const offset = first + start + messages.length - 1;
    return { epoch: stream.epoch, offset, messages, complete, more: offset < stream.offset };
  }

  async watch(room: string): Promise<Position> {
    const stream = this.#stream(room);
    stream.isWatched = true;
    return { epoch: stream.epoch, offset: stream.offset };
  }

  unwatch(room: string): void {
    const stream = this.#streams.get(room);
    if (stream === undefined) return;
    stream.isWatched = false;
    stream.usedAt = this.#now();
    if (stream.offset === 0) this.#forget(room);
  }

  announce(): void {}

  async present(): Promise<readonly never[]> {
    return [];
  }

  typing(): void {}

  /** Forget rooms that nobody has used for long. */
  sweep(): void {
    const { historySeconds } = this.#config;
    if (historySeconds === 0) return;
    const before = this.#now() - historySeconds * 1000;
    for (const [room, { isWatched, usedAt }] of this.#streams) if (!isWatched && usedAt < before) this.#forget(room);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#journal?.close();
  }

  /** One batch after the other: everything that arrives while one is written makes up the next. */
  async #write(journal: Journal): Promise<void> {
    try {
      while (this.#pending.length > 0) {
        const batch = this.#pending;
        this.#pending = [];
        await this.#writeBatch(journal, batch);
      }
    } finally {
      this.#writing = null;
    }
  }

  async #writeBatch(journal: Journal, batch: readonly Pending[]): Promise<void> {
    const next = new Map<string, number>();
    const ids = new Set<string>();
    const entries: Entry[] = [];
    for (const { message } of batch) {
      const { room, id, person, name, text, at } = message;
      const known = idKey(message);
      if (this.#known.has(known) || ids.has(known)) continue;
      ids.add(known);
      const stream = this.#stream(room);
      const offset = (next.get(room) ?? stream.offset) + 1;
      next.set(room, offset);
      entries.push([room, stream.epoch, offset, id, person, name, text, at]);
    }
    try {
      if (journal.wantsRewrite) await journal.rewrite(this.#entries());
      await journal.append(entries);
    } catch (error) {
      this.#setReason(`the journal cannot be written: ${(error as Error).message}`);
      for (const { reject } of batch) reject(new StorageAwayError(this.#reason, { cause: error }));
      this.#probe(journal);
      return;
    }
    this.#setReason('');
    for (const each of batch) this.#keep(each);
  }

  /** Users wait for `status` before they send again, so the store has to find out by itself that the disk has room again. */
  #probe(journal: Journal): void {
    setTimeout(() => {
      if (this.#reason === '') return;
      journal.rewrite(this.#entries()).then(
        () => this.#setReason(''),
        () => this.#probe(journal),
      );
    }, 1000).unref();
  }

  #setReason(reason: string): void {
    const before = this.state;
    this.#reason = reason;
    if (this.state !== before) this.#events?.state(this.state);
  }

  #keep({ message, resolve }: Pending): void {
    const { room, ...rest } = message;
    const known = this.#known.get(idKey(message));
    if (known !== undefined) {
      resolve({ epoch: known.epoch, offset: known.offset });
      return;
    }
    const stream = this.#stream(room);
    const kept: ChatMessage = { offset: stream.offset + 1, ...rest };
    this.#add(room, stream, kept);
    resolve({ epoch: stream.epoch, offset: kept.offset });
    if (stream.isWatched) this.#events?.message(room, stream.epoch, kept);
  }

  #restore([room, epoch, offset, id, person, name, text, at]: Entry): void {
    let stream = this.#streams.get(room);
    if (stream?.epoch !== epoch || stream.offset !== offset - 1) {
      this.#forget(room);
      stream = { epoch, offset: offset - 1, messages: [], usedAt: at, isWatched: false };
      this.#streams.set(room, stream);
      this.#bytes += ROOM_OVERHEAD_BYTES;
    }
    this.#add(room, stream, { offset, id, person, name, text, at });
  }

  #add(room: string, stream: Stream, message: ChatMessage): void {
    stream.messages.push(message);
    stream.offset = message.offset;
    stream.usedAt = this.#now();
    this.#bytes += bytesOf(message);
    this.#streams.delete(room);
    this.#streams.set(room, stream);
    if (stream.messages.length > this.#config.historyMessages) this.#dropOldest(stream);
    this.#trim();

    const now = this.#now();
    this.#known.set(idKey({ room, ...message }), { epoch: stream.epoch, offset: message.offset, at: now });
    for (const [key, { at }] of this.#known) {
      if (at > now - this.#config.dedupeSeconds * 1000 && this.#known.size <= MAX_KNOWN_IDS) break;
      this.#known.delete(key);
    }
  }

  #trim(): void {
    for (const [room, stream] of this.#streams) {
      while (this.#bytes > this.#config.historyBytes && stream.messages.length > 0) this.#dropOldest(stream);
      if (this.#bytes <= this.#config.historyBytes) return;
      if (!stream.isWatched) this.#forget(room);
    }
  }

  #dropOldest(stream: Stream): void {
    const dropped = stream.messages.shift();
    if (dropped !== undefined) this.#bytes -= bytesOf(dropped);
  }

  #stream(room: string): Stream {
    let stream = this.#streams.get(room);
    if (stream === undefined) {
      stream = {
        epoch: randomBytes(6).toString('base64url'),
        offset: 0,
        messages: [],
        usedAt: this.#now(),
        isWatched: false,
      };
      this.#streams.set(room, stream);
      this.#bytes += ROOM_OVERHEAD_BYTES;
    }
    return stream;
  }

  #forget(room: string): void {
    const stream = this.#streams.get(room);
    if (stream === undefined) return;
    while (stream.messages.length > 0) this.#dropOldest(stream);
    this.#bytes -= ROOM_OVERHEAD_BYTES;
    this.#streams.delete(room);
  }

  *#entries(): Generator<Entry> {
    for (const [room, { epoch, messages }] of this.#streams) {
      for (const { offset, id, person, name, text, at } of messages) {
        yield [room, epoch, offset, id, person, name, text, at];
      }
    }
  }
}

const idKey = ({ room, person, id }: { room: string; person: string; id: string }): string =>
  `${room}\n${person}\n${id}`;

const bytesOf = ({ text, name, person, id }: ChatMessage): number =>
  MESSAGE_OVERHEAD_BYTES + 2 * (text.length + name.length + person.length + id.length);
