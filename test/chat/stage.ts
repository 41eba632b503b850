import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Chat } from '../../chat/server.ts';
import { FROM, RedisServer, startTestChat, temporaryDirectory } from './support.ts';

/** One person's way to the chat: an address of their own, and what may go wrong on it. */
export interface Way {
  readonly url: string;
  /** Cut what is open and let nothing through until it is `false` again. */
  cut(isCut: boolean): void;
  /** A proxy on the way that does not know the upgrade. */
  refuseWebSockets(isRefused: boolean): void;
}

/** Where the browser tests play: several instances behind a TLS listener, round robin. */
export interface Stage {
  way(address: string): Promise<Way>;
  restartInstance(name: string): Promise<void>;
  close(): Promise<void>;
}

/**
 * The service itself, twice, over a real Redis; and in the place of load balancer and nginx a TLS listener per person that hands each
 * connection to the next instance and says the client's address, as `nginx/` does in `proxy`.
 */
export async function openLocalStage(): Promise<Stage> {
  const directory = await temporaryDirectory();
  const tls = await makeCertificate(directory.path);
  const redis = await RedisServer.start();
  const instances = new Map<string, Chat>();
  const startInstance = async (name: string) => {
    const before = instances.get(name);
    const ports = { http: before?.httpPort ?? 0, webSocket: before?.webSocketPort ?? 0 };
    const chat = await startTestChat(
      {
        CHAT_INSTANCE: name,
        CHAT_REDIS_URL: redis.url,
        CHAT_HTTP_PORT: String(ports.http),
        CHAT_WEBSOCKET_PORT: String(ports.webSocket),
        CHAT_RECONNECT_SPREAD_SECONDS: '1',
      },
      { publicDirectory: 'dist/chat/public' },
    );
    instances.set(name, chat);
  };
  await startInstance('one');
  await startInstance('two');
  const servers: { server: Server; sockets: Set<Socket> }[] = [];
  let turn = 0;
  const next = (): Chat => {
    turn += 1;
    return [...instances.values()][turn % instances.size] as Chat;
  };

  return {
    async way(address) {
      const sockets = new Set<Socket>();
      const instanceOf = new WeakMap<object, Chat>();
      let isCut = false;
      let isRefused = false;
      const headersOf = ({ headers }: IncomingMessage) => ({ ...headers, ...FROM(address) });
      const server = createServer(tls, (request, response) => {
        const chat = instanceOf.get(request.socket) ?? next();
        instanceOf.set(request.socket, chat);
        const upstream = httpRequest(
          {
            host: '127.0.0.1',
            port: chat.httpPort,
            method: request.method,
            path: request.url,
            headers: headersOf(request),
          },
          (answer) => {
            response.writeHead(answer.statusCode ?? 502, answer.headers);
            answer.pipe(response);
            answer.on('error', () => response.destroy());
          },
        );
        upstream.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
        response.on('close', () => upstream.destroy());
        request.pipe(upstream);
      });
      server.on('upgrade', (request: IncomingMessage, socket: Socket) => {
        socket.on('error', () => {});
        if (isRefused) return socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
        const chat = next();
        const upstream = connect(chat.webSocketPort, '127.0.0.1', () => {
          const headers = Object.entries(headersOf(request)).map(([name, value]) => `${name}: ${value}\r\n`);
          upstream.write(`GET ${request.url} HTTP/1.1\r\n${headers.join('')}\r\n`);
          socket.pipe(upstream).pipe(socket);
        });
        upstream.on('error', () => socket.destroy());
        socket.on('close', () => upstream.destroy());
      });
      server.on('connection', (socket: Socket) => {
        if (isCut) return socket.destroy();
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
      });
      servers.push({ server, sockets });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return {
        url: `https://localhost:${(server.address() as AddressInfo).port}`,
        cut(value) {
          isCut = value;
          if (isCut) for (const socket of sockets) socket.destroy();
        },
        refuseWebSockets(value) {
          isRefused = value;
        },
      };
    },
    async restartInstance(name) {
      await instances.get(name)?.stop();
      await startInstance(name);
    },
    async close() {
      for (const { server, sockets } of servers) {
        server.close();
        for (const socket of sockets) socket.destroy();
      }
      await Promise.all(Array.from(instances.values(), (chat) => chat.stop()));
      await redis[Symbol.asyncDispose]();
      await directory[Symbol.asyncDispose]();
    },
  };
}

async function makeCertificate(directory: string): Promise<{ key: Buffer; cert: Buffer }> {
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  await promisify(execFile)('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', cert],
  ]);
  return { key: await readFile(key), cert: await readFile(cert) };
}
