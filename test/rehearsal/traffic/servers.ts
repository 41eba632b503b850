/** Real servers on loopback that behave, or misbehave in exactly one way. */

import { createServer as createHttpsServer } from 'node:https';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ChatMessage, ServerMessage } from '../../../chat/protocol.ts';
import { CHAT, OTHER } from './certificates.ts';

/** Called for each request: whole bytes up to its empty line; `nth` counts the connection's requests from 1. */
export type OnRequest = (socket: Socket, request: string, nth: number) => void;

export interface StartedServer {
  readonly port: number;
  /** Distinct addresses that have connected. */
  readonly peers: Set<string>;
  readonly connections: number;
  stop(): Promise<void>;
}

export function serveRaw(
  onRequest: OnRequest,
  options: { tls?: 'chat' | 'other'; onConnection?: (socket: Socket) => void; host?: string } = {},
): Promise<StartedServer> {
  const onConnection = (socket: Socket): void => {
    options.onConnection?.(socket);
    let received = '';
    let nth = 0;
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      for (let end = received.indexOf('\r\n\r\n'); end >= 0; end = received.indexOf('\r\n\r\n')) {
        const request = received.slice(0, end + 4);
        received = received.slice(end + 4);
        nth += 1;
        onRequest(socket, request, nth);
      }
    });
    socket.on('error', () => {});
  };
  const certificate = options.tls === 'other' ? OTHER : CHAT;
  const server = options.tls
    ? createTlsServer({ key: certificate.key, cert: certificate.cert }, onConnection)
    : createServer(onConnection);
  return listen(server, options.host);
}

function listen(server: Server, host = '0.0.0.0'): Promise<StartedServer> {
  const sockets = new Set<Socket>();
  const peers = new Set<string>();
  let connections = 0;
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    if (socket.remoteAddress) peers.add(socket.remoteAddress.replace('::ffff:', ''));
    socket.on('close', () => sockets.delete(socket));
  });
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(0, host, () => {
      const address = server.address();
      if (address === null || typeof address === 'string') throw new Error('no port');
      resolve({
        port: address.port,
        peers,
        get connections() {
          return connections;
        },
        stop: () =>
          new Promise((stopped) => {
            for (const socket of sockets) socket.destroy();
            server.close(() => stopped());
          }),
      });
    });
  });
}

export function answer(status: number, body: string, headers: Record<string, string> = {}): string {
  const all = { 'Content-Length': String(Buffer.byteLength(body)), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} X\r\n${lines.join('')}\r\n${body}`;
}

export const REDIRECT = answer(301, '', { Location: 'https://chat.example/' });

export function whoami(seen: { address: string | null; trusted: boolean }, instance = 'machine-0'): string {
  return answer(200, JSON.stringify({ ...seen, scheme: 'https', instance }));
}

/** An address that nobody can reach by accident: the peer of this connection. */
export function peerOf(socket: Socket): string {
  return (socket.remoteAddress ?? '').replace('::ffff:', '');
}

export interface ChatServerOptions {
  /** What to do with each message; echoes by default. */
  readonly onSend?: (socket: WebSocket, echo: () => void, number: number) => void;
  readonly refuseUpgrade?: boolean;
  /** What a client that comes back is told of its room: all of it by default. */
  readonly recovered?: 'complete' | 'lost';
}

/** Speaks as much of `chat/protocol.ts` as one lonely client meets; `/whoami` on the same port, as behind nginx. */
export function serveChat(options: ChatServerOptions = {}): Promise<StartedServer> {
  const { onSend = (_socket, echo) => echo() } = options;
  const server = createHttpsServer({ key: CHAT.key, cert: CHAT.cert }, (request, response) => {
    const address = peerOf(request.socket);
    const body = JSON.stringify({ address, trusted: true, scheme: 'https', instance: 'machine-0' });
    response.setHeader('Content-Type', 'application/json').end(body);
  });
  const webSocketServer = new WebSocketServer({ noServer: true });
  const rooms = new Map<string, ChatMessage[]>();
  server.on('upgrade', (request, socket, head) => {
    if (options.refuseUpgrade || request.url !== '/ws/') {
      socket.end('HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    webSocketServer.handleUpgrade(request, socket, head, (webSocket) => {
      const say = (message: ServerMessage): void => webSocket.send(JSON.stringify(message));
      say({
        type: 'welcome',
        protocol: 1,
        instance: 'machine-0',
        address: peerOf(socket as Socket),
        trusted: true,
        scheme: 'https',
        heartbeatMs: 25_000,
        storage: 'ok',
        limits: { messageBytes: 4096, nameCharacters: 40, roomCharacters: 64 },
      });
      webSocket.on('message', (data) => {
        const message = JSON.parse(String(data));
        const { room, since } = message;
        const said = rooms.get(room) ?? [];
        rooms.set(room, said);
        if (message.type === 'join') {
          say({
            type: 'joined',
            room,
            epoch: 'e',
            offset: said.length,
            recovered: since === undefined ? 'new' : (options.recovered ?? 'complete'),
            more: false,
            person: 'p',
            history: since === undefined ? [] : said.slice(since.offset),
            members: [],
            memberCount: 1,
          });
        }
        if (message.type !== 'send') return;
        const { id, text } = message;
        if (said.some((each) => each.id === id)) return;
        const number = said.length + 1;
        const kept = { offset: number, id, person: 'p', name: room, text, at: Date.now() };
        said.push(kept);
        onSend(webSocket, () => say({ type: 'message', room, epoch: 'e', ...kept }), number);
      });
    });
  });
  return listen(server);
}
