/**
 * A small application to stand behind the receiver: says which headers and which address it was told, over HTTP and over WebSocket.
 *
 * Every path answers; `?wait=3` answers three seconds later (at most 60), to be under way while something else happens. A WebSocket
 * is told the same once, and then hears what it says. It listens on PORT (8080).
 */
import { createServer, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocketServer } from 'ws';
import { told } from './told.ts';

const LONGEST_WAIT_SECONDS = 60;

const server = createServer(async (request, response) => {
  const seconds = Number(new URL(request.url ?? '/', 'http://whoami').searchParams.get('wait'));
  if (seconds > 0) await sleep(Math.min(seconds, LONGEST_WAIT_SECONDS) * 1000);
  response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(answer(request));
});

new WebSocketServer({ server, maxPayload: 64 * 1024 }).on('connection', (socket, request) => {
  socket.on('error', () => {});
  socket.send(answer(request));
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});

function answer(request: IncomingMessage): string {
  return `${JSON.stringify(told(request.headers), null, 2)}\n`;
}

// No connection of the receiver to here ends before a request could use it: nginx keeps idle ones for 60 s.
server.keepAliveTimeout = 65_000;
server.listen(Number(process.env.PORT ?? 8080));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
