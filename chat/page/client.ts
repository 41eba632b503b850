import type { ChatMessage, Join, Position, Refusal, Send, ServerMessage, Welcome } from '../protocol.ts';
import type { Link, Transport } from './transport.ts';

export type ConnectionState = {
  readonly phase: 'connecting' | 'open' | 'waiting';
  readonly transport: Transport['kind'] | null;
  /** When the next attempt is made (`Date.now()`), while `waiting`. */
  readonly retryAt: number | null;
  readonly why: string;
};

/** What the client tells whoever shows it. */
export type ClientEvents = {
  state(state: ConnectionState): void;
  welcome(welcome: Welcome): void;
  /** In order, none twice. `isPast`: it was said before this client came, or while it was away. */
  messages(room: string, messages: readonly ChatMessage[], isPast: boolean): void;
  /** What was said between what is shown and what comes next is lost. */
  lost(room: string): void;
  /** One's own message has a place (`offset`), or will never get one (`refusal`). */
  settled(room: string, id: string, outcome: { readonly offset: number } | { readonly refusal: Refusal }): void;
  /** Everything else, as it came. */
  other(message: ServerMessage): void;
  latency(ms: number): void;
};

type Room = {
  readonly name: string;
  personName: string;
  position: Position | null;
  isJoined: boolean;
  rejoinAt: number | null;
};
type Outgoing = Send & { sentAt: number | null };

export type ClientOptions = {
  /** In order of preference. */
  readonly transports: readonly Transport[];
  readonly key: string;
  readonly events: ClientEvents;
  readonly random?: () => number;
  readonly newId?: () => string;
};

const BACKOFF_MS = { first: 500, most: 30_000 };
/** How often one's own ping goes out, below any load balancer's idle timeout. */
const PING_MS = 20_000;
const TICK_MS = 1000;
/** What was not acknowledged after this is sent again: the service knows the id. */
const RESEND_MS = 8000;
/** On the fallback, the WebSocket is tried again after this, and then after twice as long each time. */
const PROBE_MS = { first: 30_000, most: 600_000 };
/** Refusals that another attempt may not meet. */
const PASSING: ReadonlySet<string> = new Set(['rate-limited', 'storage-away', 'not-joined', 'draining']);

/**
 * A client of the chat that loses nothing: it knows its place in each room and what was not acknowledged, and comes back
 * with both, over whichever transport gets through.
 */
export class ChatClient {
  readonly #options: Required<ClientOptions>;
  readonly #rooms = new Map<string, Room>();
  readonly #outbox = new Map<string, Outgoing>();
  #link: Link | null = null;
  #probe: Link | null = null;
  #transport = 0;
  #isWelcome = false;
  #failures = 0;
  #heardAt = 0;
  #pingAt = 0;
  #pings = new Map<number, number>();
  #pingNumber = 0;
  #heartbeatMs = 25_000;
  #isStorageAway = false;
  #pausedUntil = 0;
  #reconnectAfterMs: number | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #probeAfterMs = PROBE_MS.first;
  #probeAt = 0;
  #ticker: ReturnType<typeof setInterval> | null = null;

  constructor(options: ClientOptions) {
    this.#options = {
      random: Math.random,
      newId: () => crypto.randomUUID(),
      ...options,
    };
  }

  get unsettled(): readonly Send[] {
    return [...this.#outbox.values()];
  }

  start(): void {
    this.#ticker ??= setInterval(() => this.#tick(), TICK_MS);
    this.#connect();
  }

  /** For good. */
  stop(): void {
    if (this.#ticker !== null) clearInterval(this.#ticker);
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#ticker = null;
    this.#dropLink();
  }

  join(name: string, personName: string): void {
    const room = this.#rooms.get(name) ?? { name, personName, position: null, isJoined: false, rejoinAt: null };
    room.personName = personName;
    this.#rooms.set(name, room);
    if (this.#isWelcome && !this.#link?.send(this.#joinOf(room))) this.reconnect();
  }

  leave(name: string): void {
    if (!this.#rooms.delete(name) || !this.#isWelcome) return;
    if (!this.#link?.send({ type: 'leave', room: name })) this.reconnect();
  }

  /** Kept until it is settled. @returns its id, under which it is settled later */
  send(room: string, text: string, id = this.#options.newId()): string {
    this.#outbox.set(id, { type: 'send', room, id, text, sentAt: null });
    this.#flush();
    return id;
  }

  typing(room: string, typing: boolean): void {
    if (this.#rooms.get(room)?.isJoined) this.#link?.send({ type: 'typing', room, typing });
  }

  nameIn(room: string): string {
    return this.#rooms.get(room)?.personName ?? '';
  }

  /** Now, without waiting: the machine is online again, or the user asks. */
  reconnect(): void {
    this.#dropLink();
    this.#connect();
  }

  #connect(): void {
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const transport = this.#currentTransport;
    this.#tell('connecting');
    this.#heardAt = Date.now();
    const link: Link = transport.open(this.#joins(), {
      message: (message) => {
        if (this.#link === link) this.#received(message);
      },
      alive: () => {
        this.#heardAt = Date.now();
      },
      closed: ({ why }) => {
        if (this.#link === link) this.#closed(why);
      },
    });
    this.#link = link;
  }

  #joins(): Join[] {
    return Array.from(this.#rooms.values(), (room) => this.#joinOf(room));
  }

  get #currentTransport(): Transport {
    const transport = this.#options.transports[this.#transport];
    if (transport === undefined) throw new Error('a chat client needs at least one transport');
    return transport;
  }

  #closed(why: string): void {
    const wasWelcome = this.#isWelcome;
    this.#dropLink();
    // A way that did not get through at all: the next one is tried.
    if (wasWelcome) this.#failures = 0;
    else this.#transport = (this.#transport + 1) % this.#options.transports.length;
    const { random } = this.#options;
    const backoff = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** this.#failures) * (0.5 + random());
    const delay = this.#reconnectAfterMs ?? backoff;
    this.#reconnectAfterMs = null;
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#tell('waiting', why, Date.now() + delay);
  }

  #dropLink(): void {
    const links = [this.#link, this.#probe];
    this.#link = null;
    this.#probe = null;
    this.#isWelcome = false;
    this.#pings.clear();
    for (const room of this.#rooms.values()) room.isJoined = false;
    for (const outgoing of this.#outbox.values()) outgoing.sentAt = null;
    for (const link of links) link?.close();
  }

  #received(message: ServerMessage): void {
    this.#heardAt = Date.now();
    switch (message.type) {
      case 'welcome':
        this.#welcomed(message);
        break;
      case 'joined': {
        const room = this.#rooms.get(message.room);
        if (room === undefined) return;
        if (message.recovered === 'lost' && (room.position?.offset ?? 0) > 0) this.#options.events.lost(room.name);
        if (message.recovered !== 'complete') room.position = null;
        this.#options.events.other(message);
        this.#take(room, message.epoch, message.history, true);
        room.position = { epoch: message.epoch, offset: message.offset };
        room.isJoined = true;
        this.#flush();
        break;
      }
      case 'history':
      case 'message': {
        const room = this.#rooms.get(message.room);
        if (room === undefined) return;
        const isPast = message.type === 'history';
        this.#take(room, message.epoch, isPast ? message.history : [message], isPast);
        break;
      }
      case 'reset': {
        const room = this.#rooms.get(message.room);
        if (room === undefined) return;
        if ((room.position?.offset ?? 0) > 0) this.#options.events.lost(room.name);
        room.position = { epoch: message.epoch, offset: message.offset };
        return;
      }
      case 'ack':
        if (this.#outbox.delete(message.id)) {
          this.#options.events.settled(message.room, message.id, { offset: message.offset });
        }
        return;
      case 'error':
        this.#refused(message);
        break;
      case 'status':
        this.#isStorageAway = message.storage === 'away';
        this.#options.events.other(message);
        if (!this.#isStorageAway) {
          this.#pausedUntil = 0;
          for (const outgoing of this.#outbox.values()) outgoing.sentAt = null;
          this.#rejoin(({ isJoined }) => !isJoined);
          this.#flush();
        }
        return;
      case 'closing':
        this.#reconnectAfterMs = message.reconnectAfterMs;
        return;
      case 'pong': {
        const sentAt = this.#pings.get(message.n);
        this.#pings.delete(message.n);
        if (sentAt !== undefined) this.#options.events.latency(performance.now() - sentAt);
        return;
      }
      default:
        this.#options.events.other(message);
    }
  }

  #welcomed(welcome: Welcome): void {
    this.#isWelcome = true;
    this.#failures = 0;
    this.#heartbeatMs = welcome.heartbeatMs;
    this.#isStorageAway = welcome.storage === 'away';
    this.#pingAt = 0;
    this.#pausedUntil = 0;
    this.#probeAt = Date.now() + this.#probeAfterMs;
    this.#options.events.welcome(welcome);
    this.#tell('open');
    this.#ping();
  }

  /** Hand on what is new; where an offset does not follow, ask for what lies between instead. */
  #take(room: Room, epoch: string, messages: readonly ChatMessage[], isPast: boolean): void {
    const fresh: ChatMessage[] = [];
    for (const message of messages) {
      const { position } = room;
      const isSameEpoch = position?.epoch === epoch;
      if (isSameEpoch && message.offset <= position.offset) continue;
      if (isSameEpoch && message.offset > position.offset + 1) {
        this.#link?.send(this.#joinOf(room));
        break;
      }
      room.position = { epoch, offset: message.offset };
      fresh.push(message);
      // One's own message may come back before its acknowledgement, which then says nothing new.
      if (this.#outbox.delete(message.id)) {
        this.#options.events.settled(room.name, message.id, { offset: message.offset });
      }
    }
    if (fresh.length > 0) this.#options.events.messages(room.name, fresh, isPast);
  }

  #refused(refusal: Refusal): void {
    const room = refusal.room === undefined ? undefined : this.#rooms.get(refusal.room);
    const isPassing = PASSING.has(refusal.code);
    if (refusal.id === undefined && room?.isJoined === false && isPassing) {
      room.rejoinAt = Date.now() + (refusal.retryAfterMs ?? TICK_MS);
    }
    const outgoing = refusal.id === undefined ? undefined : this.#outbox.get(refusal.id);
    if (outgoing === undefined) {
      this.#options.events.other(refusal);
      return;
    }
    if (isPassing) {
      outgoing.sentAt = null;
      this.#pausedUntil = Math.max(this.#pausedUntil, Date.now() + (refusal.retryAfterMs ?? TICK_MS));
      return;
    }
    this.#outbox.delete(outgoing.id);
    this.#options.events.settled(outgoing.room, outgoing.id, { refusal });
  }

  #rejoin(which: (room: Room) => boolean): void {
    for (const room of this.#rooms.values()) {
      if (!which(room)) continue;
      room.rejoinAt = null;
      if (this.#link?.send(this.#joinOf(room))) continue;
      this.reconnect();
      return;
    }
  }

  /** In the order in which it was written; nothing overtakes what has to wait. */
  #flush(): void {
    if (!this.#isWelcome || this.#isStorageAway || Date.now() < this.#pausedUntil) return;
    for (const outgoing of this.#outbox.values()) {
      if (outgoing.sentAt !== null || this.#rooms.get(outgoing.room)?.isJoined !== true) continue;
      outgoing.sentAt = Date.now();
      const { type, room, id, text } = outgoing;
      this.#link?.send({ type, room, id, text });
    }
  }

  #tick(): void {
    const now = Date.now();
    if (this.#link === null) return;
    const silenceMs = this.#heartbeatMs === 0 ? 2 * PING_MS : 2 * Math.max(this.#heartbeatMs, PING_MS);
    if (this.#isWelcome && now - this.#heardAt > silenceMs) {
      this.#closed('the service has gone silent');
      return;
    }
    if (!this.#isWelcome) return;
    if (now - this.#pingAt >= PING_MS) this.#ping();
    for (const outgoing of this.#outbox.values()) {
      if (outgoing.sentAt !== null && now - outgoing.sentAt > RESEND_MS) outgoing.sentAt = null;
    }
    this.#rejoin(({ isJoined, rejoinAt }) => !isJoined && rejoinAt !== null && now >= rejoinAt);
    this.#flush();
    if (this.#transport > 0 && now >= this.#probeAt && this.#probe === null) this.#tryPreferred();
  }

  #ping(): void {
    this.#pingAt = Date.now();
    this.#pingNumber += 1;
    this.#pings.set(this.#pingNumber, performance.now());
    this.#link?.send({ type: 'ping', n: this.#pingNumber });
  }

  /** On the fallback: open the preferred way beside it, and change over when it answers. */
  #tryPreferred(): void {
    const [preferred] = this.#options.transports;
    if (preferred === undefined) return;
    const probe: Link = preferred.open(this.#joins(), {
      alive: () => {},
      message: (message) => {
        if (this.#link === probe) this.#received(message);
        if (this.#probe !== probe || message.type !== 'welcome') return;
        this.#probe = null;
        this.#dropLink();
        this.#link = probe;
        this.#transport = 0;
        this.#probeAfterMs = PROBE_MS.first;
        this.#received(message);
      },
      closed: ({ why }) => {
        if (this.#link === probe) this.#closed(why);
        if (this.#probe !== probe) return;
        this.#probe = null;
        this.#probeAfterMs = Math.min(PROBE_MS.most, 2 * this.#probeAfterMs);
        this.#probeAt = Date.now() + this.#probeAfterMs;
      },
    });
    this.#probe = probe;
  }

  #joinOf({ name, personName, position }: Room): Join {
    return {
      type: 'join',
      room: name,
      name: personName,
      key: this.#options.key,
      ...(position === null ? {} : { since: position }),
    };
  }

  #tell(phase: ConnectionState['phase'], why = '', retryAt: number | null = null): void {
    this.#options.events.state({
      phase,
      transport: phase === 'open' ? this.#currentTransport.kind : null,
      retryAt,
      why,
    });
  }
}
