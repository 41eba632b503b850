/**
 * The service as it ships, as a process of its own, under clients as nobody should write them: it refuses them by name, its memory stays bounded, and
 * people talk meanwhile. `FUZZ_SEED` repeats a run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { NODE24 } from '../../rehearsal/paths.ts';
import { type FuzzedClient, frame, fuzzedClient, missingKinds } from './fuzzed-clients.ts';
import { FROM, joined, RawClient, until } from './support.ts';

/** A service at rest has some 90 MiB; the heap of Node.js grows to what it is given before it collects. */
const MOST_MIB = 300;

let service: ChildProcess;
let log = '';
let webSocketPort = 0;

beforeAll(async () => {
  const [httpPort, port] = await Promise.all([freePort(), freePort()]);
  webSocketPort = port;
  service = spawn(NODE24, ['dist/chat/chat.mjs'], {
    env: { CHAT_HTTP_PORT: String(httpPort), CHAT_WEBSOCKET_PORT: String(port), CHAT_LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  for (const stream of [service.stdout, service.stderr]) {
    stream?.on('data', (chunk) => {
      log += chunk;
    });
  }
  await until(
    () =>
      fetch(`http://127.0.0.1:${httpPort}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      ),
    'the service is ready',
    20_000,
  );
}, 30_000);

afterAll(async () => {
  service.kill();
  if (service.exitCode === null) await once(service, 'exit');
}, 20_000);

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

const residentMiB = () =>
  Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8'))?.[1]) / 1024;

/** A connection on which WebSocket has been agreed on, by hand. */
async function handshaken(): Promise<net.Socket> {
  const socket = net.connect(webSocketPort, '127.0.0.1');
  socket.on('error', () => {});
  await once(socket, 'connect');
  socket.write(
    'GET /ws/ HTTP/1.1\r\nHost: chat\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n' +
      'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nX-Real-IP: 198.51.100.7\r\nX-Client-Address-Trust: no\r\n\r\n',
  );
  await once(socket, 'data');
  return socket;
}

/** What the service said to a client before it ended, or before it was left alone. */
async function attack({
  pieces,
}: FuzzedClient): Promise<{ closeCode: number | null; refusals: number; isOpen: boolean }> {
  const socket = await handshaken();
  const received: Buffer[] = [];
  socket.on('data', (chunk) => received.push(chunk));
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces) socket.write(piece);
  await Promise.race([closed, sleep(500)]);
  const isOpen = !socket.destroyed;
  socket.destroy();
  return { ...read(Buffer.concat(received)), isOpen };
}

/** The service's frames are short, and whole. */
function read(data: Buffer): { closeCode: number | null; refusals: number } {
  let refusals = 0;
  for (let at = 0; at + 2 <= data.length; ) {
    const short = (data[at + 1] ?? 0) & 0x7f;
    const from = at + (short === 126 ? 4 : short === 127 ? 10 : 2);
    const length =
      short === 126 ? data.readUInt16BE(at + 2) : short === 127 ? Number(data.readBigUInt64BE(at + 2)) : short;
    if (((data[at] ?? 0) & 0x0f) === 8) return { closeCode: data.readUInt16BE(from), refusals };
    if (data.subarray(from, from + length).includes('"type":"error"')) refusals += 1;
    at = from + length;
  }
  return { closeCode: null, refusals };
}

function judge({ kind, ends }: FuzzedClient, seen: Awaited<ReturnType<typeof attack>>): string[] {
  const isAsItHasToBe =
    ends === 'refused'
      ? seen.refusals > 0 && seen.isOpen
      : ends === 'waits'
        ? seen.isOpen && seen.refusals === 0
        : ends.includes(seen.closeCode ?? 0);
  return isAsItHasToBe ? [] : [`${kind}: expected ${String(ends)}, seen ${JSON.stringify(seen)}`];
}

/** Two people who talk, four times a second, for as long as `meanwhile` takes. @returns how many messages arrived, each once */
async function talking(meanwhile: () => Promise<void>): Promise<number> {
  const [ann, ben] = await Promise.all(
    ['Ann', 'Ben'].map((name) =>
      joined(new RawClient({ webSocketPort }, { headers: FROM('198.51.100.8', 'no') }), 'lobby', name),
    ),
  );
  if (ann === undefined || ben === undefined) throw new Error('nobody joined');
  let isOver = false;
  const over = meanwhile().finally(() => {
    isOver = true;
  });
  let sent = 0;
  while (!isOver) {
    const id = `talk-${Date.now()}-${sent}`;
    sent += 1;
    ann.say({ type: 'send', room: 'lobby', id, text: 'hello' });
    await ben.next('message', (message) => message.id === id);
    await sleep(250);
  }
  await over;
  expect(ben.received.filter(({ type }) => type === 'message')).toHaveLength(sent);
  expect([ann.closed, ben.closed]).toEqual([null, null]);
  ann.socket.close();
  ben.socket.close();
  return sent;
}

function checkAlive(): void {
  expect(service.exitCode).toBeNull();
  expect(log).toBe('');
  expect(residentMiB()).toBeLessThan(MOST_MIB);
}

test('wrong frames and wrong JSON are refused by name or closed with their code, and people talk meanwhile', async () => {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
  const clients = fc.sample(fuzzedClient, { seed, numRuns: 600 });
  expect(missingKinds(clients)).toEqual([]);
  const wrong: string[] = [];

  const messages = await talking(async () => {
    const rest = [...clients];
    const worker = async () => {
      for (let client = rest.pop(); client !== undefined; client = rest.pop())
        wrong.push(...judge(client, await attack(client)));
    };
    await Promise.all(Array.from({ length: 20 }, worker));
  });

  console.log(
    `${clients.length} clients of FUZZ_SEED=${seed}; ${messages} messages of others; ${residentMiB().toFixed(0)} MiB`,
  );
  expect(wrong).toEqual([]);
  checkAlive();
}, 90_000);

test('5,000 idle connections and 2,000 that owe the rest of a frame leave people talking, and memory bounded', async () => {
  const before = residentMiB();
  const sockets: net.Socket[] = [];

  await talking(async () => {
    for (let opened = 0; opened < 7000; opened += 100) {
      sockets.push(...(await Promise.all(Array.from({ length: 100 }, handshaken))));
    }
    for (const socket of sockets.slice(5000)) socket.write(frame('x'.repeat(20_000)).subarray(0, -1));
    await sleep(2000);
  });

  console.log(`${sockets.length} connections: ${before.toFixed(0)} → ${residentMiB().toFixed(0)} MiB`);
  expect(sockets.filter((socket) => socket.destroyed)).toEqual([]);
  checkAlive();
  for (const socket of sockets) socket.destroy();
}, 120_000);

test('a flood of handshakes that never end, of requests that are none and of headers without an end leaves people talking', async () => {
  const beginnings = [
    'GET /ws/ HTTP/1.1\r\nHost: chat\r\n',
    'GET /ws/ HTTP/1.1\r\nHost: chat\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\nSec-WebSocket-Key: x\r\n\r\n',
    `GET /ws/ HTTP/1.1\r\nHost: chat\r\n${'X-Long: x\r\n'.repeat(5000)}`,
    'POST /ws/ HTTP/1.1\r\nHost: chat\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello',
    '\u0000\u0001\u0002',
  ];
  const sockets: net.Socket[] = [];

  await talking(async () => {
    for (let index = 0; index < 2000; index += 1) {
      const socket = net.connect(webSocketPort, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(beginnings[index % beginnings.length] ?? '');
      sockets.push(socket);
      if (index % 50 === 0) await sleep(20);
    }
    await sleep(1000);
  });

  checkAlive();
  for (const socket of sockets) socket.destroy();
}, 60_000);
