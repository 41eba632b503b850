/** Debian's redis-server, one process in a network namespace of its own for each replication group, with TLS where the group has it. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cleanup } from '../cleanup.ts';
import { requirePackages } from '../host/packages.ts';
import { runCommand } from '../host/run-command.ts';
import type { Fabric } from '../network/fabric.ts';
import { createCertificate } from '../nodes/certificate.ts';
import type { CacheServerRequest, CacheServers } from './replication-groups.ts';

const PACKAGE = { files: ['/usr/bin/redis-server'], package: 'redis-server', why: 'stands in for Valkey' };
const START_LIMIT_MS = 10_000;

export interface RedisServersOptions {
  readonly fabric: Pick<Fabric, 'addHost' | 'removeHost'>;
  /** The run's directory. */
  readonly directory: string;
  readonly say: (line: string) => void;
}

export class RedisServers implements CacheServers, AsyncDisposable {
  readonly #options: RedisServersOptions;
  readonly #running = new Map<string, { readonly child: ChildProcess; readonly host: string }>();
  #started = 0;
  #certificates = '';

  constructor(options: RedisServersOptions) {
    this.#options = options;
  }

  /** PEM, of every server that has been started: what machines trust. */
  get certificatesPem(): string {
    return this.#certificates;
  }

  async start({ name, privateIpAddress, port, isEncrypted }: CacheServerRequest): Promise<void> {
    const { fabric, say } = this.#options;
    await requirePackages([PACKAGE], say);
    this.#started += 1;
    const host = `cache${this.#started}`;
    const directory = path.join(this.#options.directory, host);
    await mkdir(directory, { recursive: true });
    const { path: namespace } = await fabric.addHost(host, [privateIpAddress]);
    const socket = path.join(directory, 'redis.sock');
    const tls = isEncrypted ? await this.#certify(directory, privateIpAddress) : [];
    const log = createWriteStream(path.join(directory, 'redis.log'));
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', 'nsenter', `--net=${namespace}`, '--', 'redis-server'],
        ...[
          '--bind',
          privateIpAddress,
          '--protected-mode',
          'no',
          '--save',
          '',
          '--appendonly',
          'no',
          '--dir',
          directory,
        ],
        ...['--unixsocket', socket, '--port', isEncrypted ? '0' : String(port)],
        ...(isEncrypted ? ['--tls-port', String(port), ...tls] : []),
      ],
      { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    this.#running.set(name, { child, host });
    const limit = Date.now() + START_LIMIT_MS;
    for (let lastSeen = ''; ; await sleep(50)) {
      try {
        lastSeen = (await runCommand(['redis-cli', '-s', socket, 'ping'])).trim();
        if (lastSeen === 'PONG') return;
      } catch (error) {
        lastSeen = (error as Error).message;
      }
      if (Date.now() > limit || child.exitCode !== null)
        throw new Error(`redis-server of ${name} does not answer: ${lastSeen}`);
    }
  }

  async stop(name: string): Promise<void> {
    const running = this.#running.get(name);
    if (running === undefined) return;
    this.#running.delete(name);
    const { child, host } = running;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    }
    await this.#options.fabric.removeHost(host);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const cleanup = new Cleanup();
    for (const name of this.#running.keys()) cleanup.add(name, () => this.stop(name));
    await cleanup[Symbol.asyncDispose]();
  }

  async #certify(directory: string, privateIpAddress: string): Promise<string[]> {
    const { certificatePem, privateKeyPem } = createCertificate([privateIpAddress]);
    this.#certificates += certificatePem;
    const [certificate, key] = [path.join(directory, 'server.pem'), path.join(directory, 'server.key')];
    await writeFile(certificate, certificatePem);
    await writeFile(key, privateKeyPem, { mode: 0o600 });
    // Clients are told apart by their security group alone, as in the template.
    return ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-auth-clients', 'no'];
  }
}
