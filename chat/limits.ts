import type { Config } from './config.ts';

/** How much may come at once, in seconds of the steady rate. */
const BURST_SECONDS = 10;

/** A token bucket that needs no timer: what it holds is worked out when it is asked. `perSecond` 0: no limit. */
export class Bucket {
  #perSecond: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#tokens = perSecond * BURST_SECONDS;
    this.#at = nowMs;
  }

  /** @returns 0 when one was taken, else the ms after which there is one again */
  take(nowMs: number): number {
    if (this.#perSecond === 0) return 0;
    this.#fill(nowMs);
    if (this.#tokens >= 1) {
      this.#tokens -= 1;
      return 0;
    }
    return Math.ceil(((1 - this.#tokens) / this.#perSecond) * 1000);
  }

  isFull(nowMs: number): boolean {
    this.#fill(nowMs);
    return this.#tokens >= this.#perSecond * BURST_SECONDS;
  }

  #fill(nowMs: number): void {
    const elapsed = Math.max(0, nowMs - this.#at) / 1000;
    this.#tokens = Math.min(this.#perSecond * BURST_SECONDS, this.#tokens + elapsed * this.#perSecond);
    this.#at = nowMs;
  }
}

type Account = { open: number; readonly connections: Bucket; readonly messages: Bucket };

/**
 * What each trusted client address uses of this instance. A null key (address not trusted) is never counted and never refused:
 * before and during the switch everybody seems to come from the load balancer's nodes.
 */
export class AddressLimits {
  readonly #config: Config;
  readonly #now: () => number;
  readonly #accounts = new Map<string, Account>();

  constructor(config: Config, now: () => number) {
    this.#config = config;
    this.#now = now;
  }

  /** Count one connection in. Every one that was admitted has to be released. @returns why it is refused, or null */
  admit(key: string | null): 'too-many-connections' | 'connection-rate-limited' | null {
    if (key === null) return null;
    const account = this.#account(key);
    const { addressOpenConnections } = this.#config;
    if (addressOpenConnections > 0 && account.open >= addressOpenConnections) return 'too-many-connections';
    if (account.connections.take(this.#now()) > 0) return 'connection-rate-limited';
    account.open += 1;
    return null;
  }

  release(key: string | null): void {
    const account = key === null ? undefined : this.#accounts.get(key);
    if (account !== undefined) account.open -= 1;
  }

  /** @returns 0 when the message is taken, else the ms after which one will be */
  message(key: string | null): number {
    return key === null ? 0 : this.#account(key).messages.take(this.#now());
  }

  /** Forget addresses that have nothing open and whose buckets are full again, else each address ever seen costs memory. */
  sweep(): void {
    const now = this.#now();
    for (const [key, { open, connections, messages }] of this.#accounts) {
      if (open === 0 && connections.isFull(now) && messages.isFull(now)) this.#accounts.delete(key);
    }
  }

  get size(): number {
    return this.#accounts.size;
  }

  #account(key: string): Account {
    let account = this.#accounts.get(key);
    if (account === undefined) {
      const now = this.#now();
      account = {
        open: 0,
        connections: new Bucket(this.#config.addressConnectionsPerSecond, now),
        messages: new Bucket(this.#config.addressMessagesPerSecond, now),
      };
      this.#accounts.set(key, account);
    }
    return account;
  }
}
