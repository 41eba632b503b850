import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { readConfig } from '../../chat/config.ts';
import { Journal } from '../../chat/journal.ts';
import { createLog } from '../../chat/log.ts';
import { MemoryStore } from '../../chat/memory-store.ts';
import type { ClientMessage, ServerMessage } from '../../chat/protocol.ts';
import { RedisStore } from '../../chat/redis-store.ts';
import { type Chat, startChat } from '../../chat/server.ts';
import type { Headers } from './recording-client.ts';

/** What nginx would say of a test's client. */
export const FROM = (address: string, trust: 'yes' | 'no' = 'yes'): Headers => ({
  'X-Real-IP': address,
  'X-Client-Address-Trust': trust,
  'X-Forwarded-Proto': 'https',
});

/** A whole service in this process, on free ports; `environment` as its unit would set it. */
export async function startTestChat(
  environment: Record<string, string> = {},
  { now, publicDirectory = 'chat/page' }: { now?: () => number; publicDirectory?: string } = {},
): Promise<Chat> {
  const config = readConfig({
    CHAT_HTTP_PORT: '0',
    CHAT_WEBSOCKET_PORT: '0',
    CHAT_LOG_LEVEL: 'silent',
    CHAT_RECONNECT_SPREAD_SECONDS: '0',
    CHAT_DRAIN_SECONDS: '2',
    ...environment,
  });
  const log = createLog(config);
  let store: MemoryStore | RedisStore;
  if (config.redisUrl !== '') store = new RedisStore(config, log);
  else {
    const { journal, entries } =
      config.stateDirectory === '' ? { journal: null, entries: [] } : await Journal.open(config.stateDirectory);
    store = new MemoryStore(config, { journal, entries, now: now ?? Date.now });
  }
  return startChat({ config, store, log, publicDirectory, ...(now === undefined ? {} : { now }) });
}

export async function temporaryDirectory(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'chat-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** A WebSocket that remembers everything it got, and can wait for what it has not got yet. */
export class RawClient {
  readonly received: ServerMessage[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | null = null;
  readonly #waiting = new Set<() => void>();

  constructor(chat: Pick<Chat, 'webSocketPort'>, options: { headers?: Headers; path?: string } = {}) {
    this.socket = new WebSocket(`ws://127.0.0.1:${chat.webSocketPort}${options.path ?? '/ws/'}`, {
      headers: options.headers ?? {},
    });
    this.socket.on('message', (data) => {
      this.received.push(JSON.parse(String(data)) as ServerMessage);
      this.#wake();
    });
    this.socket.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) };
      this.#wake();
    });
    this.socket.on('error', () => {});
  }

  /** Resolves with the status of a refused handshake and its body. */
  refused(): Promise<{ status: number; body: { code: string; message: string } }> {
    return new Promise((resolve, reject) => {
      this.socket.on('open', () => reject(new Error('the handshake was not refused')));
      this.socket.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (chunk) => {
          body += chunk;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(body || '{}') }));
      });
    });
  }

  say(message: ClientMessage | string): void {
    const data = typeof message === 'string' ? message : JSON.stringify(message);
    if (this.socket.readyState === WebSocket.CONNECTING) this.socket.once('open', () => this.socket.send(data));
    else this.socket.send(data);
  }

  /** The `n`th message (from 1) of a type that also fits `where`. */
  async next<Type extends ServerMessage['type']>(
    type: Type,
    where: (message: Extract<ServerMessage, { type: Type }>) => boolean = () => true,
    n = 1,
  ): Promise<Extract<ServerMessage, { type: Type }>> {
    const matches = () =>
      this.received.filter(
        (message): message is Extract<ServerMessage, { type: Type }> =>
          message.type === type && where(message as Extract<ServerMessage, { type: Type }>),
      );
    await this.until(() => matches().length >= n, `${type} number ${n}`);
    return matches()[n - 1] as Extract<ServerMessage, { type: Type }>;
  }

  async until(isSo: () => boolean, what: string, timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    while (!isSo()) {
      if (Date.now() > deadline) {
        throw new Error(
          `not within ${timeoutMs} ms: ${what}; got ${JSON.stringify(this.received.slice(-5)).slice(0, 2000)}`,
        );
      }
      await Promise.race([new Promise<void>((resolve) => this.#waiting.add(resolve)), sleep(50)]);
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export async function joined(client: RawClient, room: string, name: string, key?: string): Promise<RawClient> {
  client.say({ type: 'join', room, name, key });
  await client.next('joined', (message) => message.room === room);
  return client;
}

export async function until(isSo: () => boolean | Promise<boolean>, what: string, timeoutMs = 5000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await isSo())) {
    if (Date.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await sleep(20);
  }
}

/** A real Redis on a free port, with its data in a directory of its own; it can be stopped and started again with that data. */
export class RedisServer {
  readonly port: number;
  readonly #directory: string;
  #process: ChildProcess | null = null;

  private constructor(port: number, directory: string) {
    this.port = port;
    this.#directory = directory;
  }

  static async start(): Promise<RedisServer> {
    if (!existsSync('/usr/bin/redis-server')) {
      throw new Error('/usr/bin/redis-server is missing: install the Debian package redis-server');
    }
    const server = new RedisServer(await freePort(), await mkdtemp(join(tmpdir(), 'chat-redis-')));
    await server.start();
    return server;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start(): Promise<void> {
    const settings = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.#directory,
      appendonly: 'yes',
      save: '',
    };
    const child = spawn(
      '/usr/bin/redis-server',
      Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      child.stdout?.on('data', (data) => String(data).includes('Ready to accept connections') && resolve());
      child.once('exit', (code) => reject(new Error(`redis-server ended with ${code}`)));
    });
  }

  /** @param signal  SIGKILL: as a crash would; SIGSTOP: it stands still and closes nothing, until SIGCONT */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    const child = this.#process;
    if (child === null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await exited;
    this.#process = null;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal);
  }

  /** Throw away what it has kept, while it is stopped. */
  async forget(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true });
    const { mkdir } = await import('node:fs/promises');
    await mkdir(this.#directory);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.signal('SIGCONT');
    await this.stop('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
