import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Admission } from './admission.ts';
import type { Config } from './config.ts';
import { EventStreams } from './events.ts';
import { Frame } from './frame.ts';
import { createHttpServer } from './http.ts';
import { Hub } from './hub.ts';
import { AddressLimits } from './limits.ts';
import type { Log } from './log.ts';
import { createMetrics } from './metrics.ts';
import type { Store } from './store.ts';
import { createWebSocketServer } from './websocket.ts';

/** A port to listen on, or a socket that systemd has opened (file descriptor 3 and up), which goes on listening over a restart. */
export type Listen = { readonly port: number } | { readonly fd: number };

export type ChatDependencies = {
  readonly config: Config;
  readonly store: Store;
  readonly log: Log;
  readonly publicDirectory: string;
  readonly listen?: { readonly http: Listen; readonly webSocket: Listen };
  readonly now?: () => number;
  readonly random?: () => number;
};

export type Chat = {
  readonly httpPort: number;
  readonly webSocketPort: number;
  /** Drain and stop: see `chat/README.md`, "Stopping". Resolves within CHAT_DRAIN_SECONDS and what the store needs to close. */
  stop(): Promise<void>;
};

const SWEEP_MS = 30_000;

/** Start the service; it takes connections when this resolves. */
export async function startChat({
  config,
  store,
  log,
  publicDirectory,
  listen = { http: { port: config.httpPort }, webSocket: { port: config.webSocketPort } },
  now = Date.now,
  random = Math.random,
}: ChatDependencies): Promise<Chat> {
  const hub = new Hub({ config, store, metrics: createMetrics(), log, now });
  const limits = new AddressLimits(config, now);
  const admission = new Admission(hub, limits);
  const events = new EventStreams(hub, admission, limits);
  const webSockets = createWebSocketServer(hub, admission, limits);
  const http = createHttpServer(hub, admission, events, publicDirectory);

  await hub.start();
  const [httpPort, webSocketPort] = await Promise.all([
    listenOn(http, listen.http, config.host),
    listenOn(webSockets.server, listen.webSocket, config.host),
  ]);

  const timers = [
    setInterval(() => {
      limits.sweep();
      events.sweep();
      store.sweep();
    }, SWEEP_MS),
  ];
  if (config.heartbeatSeconds > 0) {
    timers.push(
      setInterval(() => {
        webSockets.heartbeat();
        events.heartbeat();
      }, config.heartbeatSeconds * 1000),
    );
  }
  for (const timer of timers) timer.unref();
  log.info({ httpPort, webSocketPort, storage: store.state }, 'ready');

  async function stop(): Promise<void> {
    log.info({ connections: hub.sessions.size }, 'draining');
    admission.isDraining = true;
    const closed = Promise.all([closeServer(http), closeServer(webSockets.server)]);
    const spreadMs = config.reconnectSpreadSeconds * 1000;
    for (const session of hub.sessions) {
      session.peer.send(new Frame({ type: 'closing', reconnectAfterMs: Math.round(random() * spreadMs) }));
      session.peer.close(1012, 'service restart');
    }
    const bound = setTimeout(() => {
      log.warn({ connections: hub.sessions.size }, 'cut off: still open when the drain was over');
      for (const session of hub.sessions) session.peer.terminate();
      http.closeAllConnections();
      webSockets.server.closeAllConnections();
    }, config.drainSeconds * 1000);
    await closed;
    clearTimeout(bound);
    for (const timer of timers) clearInterval(timer);
    await store.close();
    log.info('stopped');
  }

  return { httpPort, webSocketPort, stop };
}

function listenOn(server: Server, where: Listen, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const done = () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    };
    if ('fd' in where) server.listen({ fd: where.fd }, done);
    else server.listen({ port: where.port, host, backlog: 4096 }, done);
  });
}

/** Take nothing new; resolves when every connection is closed, upgraded ones too. */
function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeIdleConnections();
  });
}
