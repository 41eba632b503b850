import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import sirv from 'sirv';
import type { Admission } from './admission.ts';
import { cameThroughProxy, clientFrom } from './client-address.ts';
import type { EventStreams } from './events.ts';
import type { Hub } from './hub.ts';
import type { WhoAmI } from './protocol.ts';

/** Nothing but what the service itself serves is run, loaded or connected to; `trusted-types` makes the browser refuse text as markup. */
const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Security-Policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; '),
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Permissions-Policy': 'camera=(), microphone=(), geolocation=()',
  'Cache-Control': 'no-cache',
};

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

/** Page, fallback, and what operators ask for. */
export function createHttpServer(
  hub: Hub,
  admission: Admission,
  events: EventStreams,
  publicDirectory: string,
): Server {
  const page = sirv(publicDirectory, {
    etag: true,
    setHeaders: (response) => {
      for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    },
  });

  const routes: Readonly<Record<string, Handler>> = {
    'GET /whoami': (request, response) => {
      const client = clientFrom(request.socket.remoteAddress, request.headers);
      json(response, 200, { ...client, instance: hub.config.instance } satisfies WhoAmI);
    },
    'GET /healthz': (_request, response) => {
      const storage = hub.store.state;
      const isReady = storage === 'ok' && !admission.isDraining;
      json(response, isReady ? 200 : 503, {
        ready: isReady,
        draining: admission.isDraining,
        storage,
        // How the store is reached is for operators: the log has it.
        why: isReady ? null : admission.isDraining ? 'about to stop' : 'the message store does not answer',
        instance: hub.config.instance,
        connections: hub.sessions.size,
      });
    },
    'GET /metrics': async (request, response) => {
      const { metrics } = hub.config;
      if (metrics === 'off' || (metrics === 'local' && cameThroughProxy(request.headers))) {
        return json(response, 404, { message: 'Metrics are not served here (CHAT_METRICS).' });
      }
      response.writeHead(200, { 'Content-Type': hub.metrics.registry.contentType });
      response.end(await hub.metrics.registry.metrics());
    },
    'POST /events': (request, response) => events.open(request, response),
    'POST /send': (request, response) => events.send(request, response),
    'POST /typing': (request, response) => events.typing(request, response),
  };

  // Longer than nginx keeps a connection to an upstream (60 s), so that nginx is the one that closes it.
  return createServer({ keepAliveTimeout: 75_000 }, (request, response) => {
    // Once it drains, no connection is kept for another request.
    if (admission.isDraining) response.setHeader('Connection', 'close');
    const path = (request.url ?? '/').split('?', 1)[0];
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    const route = routes[`${method} ${path}`];
    if (route !== undefined) {
      Promise.resolve(route(request, response)).catch((error: unknown) => {
        hub.log.error({ err: error, path }, 'unexpected error');
        response.destroy();
      });
      return;
    }
    if (method !== 'GET') return json(response, 405, { message: 'This address does not take that method.' });
    page(request, response, () => json(response, 404, { message: 'There is nothing at this address.' }));
  });
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(JSON.stringify(body));
}
