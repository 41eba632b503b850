import type { IncomingMessage } from 'node:http';
import { type Client, clientFrom, limitKey } from './client-address.ts';
import type { Hub } from './hub.ts';
import type { AddressLimits } from './limits.ts';
import { RefusedError } from './parse.ts';
import type { Refusal, RefusalCode } from './protocol.ts';

/** HTTP status of a refusal that comes before a connection stands. */
export const STATUS: Readonly<Record<RefusalCode, number>> = {
  'bad-message': 400,
  'bad-name': 400,
  'bad-room': 400,
  'not-joined': 409,
  'too-many-rooms': 400,
  'message-too-large': 413,
  'rate-limited': 429,
  'connection-rate-limited': 429,
  'too-many-connections': 429,
  'bad-origin': 403,
  'storage-away': 503,
  draining: 503,
};

/** Decides which connections may stand. */
export class Admission {
  readonly #hub: Hub;
  readonly #limits: AddressLimits;
  isDraining = false;

  constructor(hub: Hub, limits: AddressLimits) {
    this.#hub = hub;
    this.#limits = limits;
  }

  /**
   * Count a connection in, before a byte is spent on it. Each one that was admitted has to be released.
   *
   * @throws RefusedError  draining, bad-origin, too-many-connections, connection-rate-limited
   */
  admit(request: IncomingMessage): { readonly client: Client; release(): void } {
    const { openConnections } = this.#hub.config;
    if (this.isDraining) throw new RefusedError('draining', 'This instance is about to stop; connect again.', 1000);
    this.checkOrigin(request);
    const client = clientFrom(request.socket.remoteAddress, request.headers);
    if (openConnections > 0 && this.#hub.sessions.size >= openConnections) {
      throw new RefusedError('too-many-connections', 'This instance has as many connections as it takes.', 5000);
    }
    const key = limitKey(client);
    const why = this.#limits.admit(key);
    if (why === 'too-many-connections') {
      throw new RefusedError(why, 'This address has as many connections open as one may have.', 5000);
    }
    if (why === 'connection-rate-limited') {
      throw new RefusedError(why, 'This address opens connections faster than one may.', 1000);
    }
    return { client, release: () => this.#limits.release(key) };
  }

  /**
   * A browser says which site's page asks; another site's page must not talk in the name of who looks at it. What is not a
   * browser sends no Origin, and could write any: nothing is refused for lack of it.
   *
   * @throws RefusedError  bad-origin
   */
  checkOrigin({ headers }: IncomingMessage): void {
    const { origin, host } = headers;
    if (origin === undefined) return;
    const allowed = this.#hub.config.allowedOrigins;
    if (allowed.includes('*') || allowed.includes(origin)) return;
    if (allowed.length === 0 && host !== undefined && URL.canParse(origin) && isSameHost(new URL(origin), host)) return;
    throw new RefusedError('bad-origin', 'Pages of another site may not connect here.');
  }
}

/** nginx may pass the host with or without the port that the client used; a port that is told has to fit. */
function isSameHost(origin: URL, host: string): boolean {
  const asked = host.toLowerCase();
  return (
    asked === origin.host || asked === origin.hostname || `${asked}` === `${origin.hostname}:${defaultPort(origin)}`
  );
}

const defaultPort = ({ protocol, port }: URL): string => port || (protocol === 'https:' ? '443' : '80');

/** Body of an HTTP answer that refuses. */
export const refusalBody = ({ code, message, retryAfterMs }: RefusedError): string =>
  JSON.stringify({ type: 'error', code, message, retryAfterMs } satisfies Refusal);
