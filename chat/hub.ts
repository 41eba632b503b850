import type { Config } from './config.ts';
import { Frame } from './frame.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { ServerMessage } from './protocol.ts';
import { Room } from './room.ts';
import type { Session } from './session.ts';
import type { Store } from './store.ts';

export type HubDependencies = {
  readonly config: Config;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
};

/** The rooms in which somebody of this instance is, and the sessions of this instance. */
export class Hub {
  readonly config: Config;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
  readonly sessions = new Set<Session>();
  readonly #rooms = new Map<string, Room>();

  constructor({ config, store, metrics, log, now }: HubDependencies) {
    this.config = config;
    this.store = store;
    this.metrics = metrics;
    this.log = log;
    this.now = now;
  }

  async start(): Promise<void> {
    await this.store.start({
      message: (name, epoch, message) => this.#rooms.get(name)?.deliver(epoch, message),
      reset: (name, position) => this.#rooms.get(name)?.reset(position),
      presence: (name, instance, member) => this.#rooms.get(name)?.setPresent(instance, member),
      typing: (name, signal) => this.#rooms.get(name)?.typing(signal, null),
      instanceGone: (instance) => {
        for (const room of this.#rooms.values()) room.dropInstance(instance);
      },
      state: (storage) => {
        this.log.warn({ storage, reason: this.store.reason || undefined }, 'storage state');
        this.metrics.storageUp.set(storage === 'ok' ? 1 : 0);
        this.broadcast({ type: 'status', storage });
      },
    });
    this.metrics.storageUp.set(this.store.state === 'ok' ? 1 : 0);
  }

  /** The room of that name, to be entered at once: one that nobody is in is closed with the last who leaves. */
  room(name: string): Room {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name, this, () => {
        this.#rooms.delete(name);
        this.metrics.rooms.set(this.#rooms.size);
      });
      this.#rooms.set(name, room);
      this.metrics.rooms.set(this.#rooms.size);
    }
    return room;
  }

  roomIfOpen(name: string): Room | undefined {
    return this.#rooms.get(name);
  }

  broadcast(message: ServerMessage): void {
    const frame = new Frame(message);
    for (const session of this.sessions) session.peer.send(frame);
  }
}
