/** Containers in a network namespace, as on an instance, and clients in others: one of the load balancer's subnets, and a stranger. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, mkdtemp } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Cleanup } from '../../rehearsal/cleanup.ts';
import { composeService, serviceArguments } from '../../rehearsal/containers/compose.ts';
import { prepareContainerImages, RECEIVER_ARCHIVE, WHOAMI_ARCHIVE } from '../../rehearsal/containers/images.ts';
import { Podman } from '../../rehearsal/containers/podman.ts';
import { FOR_CONTAINERS, requirePackages } from '../../rehearsal/host/packages.ts';
import { runCommand } from '../../rehearsal/host/run-command.ts';
import { createRunDirectory } from '../../rehearsal/host/run-directory.ts';
import { createFabric, type NetworkHost } from '../../rehearsal/network/fabric.ts';

const RAW_CLIENT = fileURLToPath(new URL('raw-client.mjs', import.meta.url));
const READY_LIMIT_MS = 20_000;
export const INSTANCE = '10.0.1.11';
/** The load balancer's node is in a range of the compose file's TRUSTED_CIDRS, the stranger is not. */
export const PEERS = { node: '10.0.101.21', stranger: '10.0.1.50' } as const;
export type Peer = keyof typeof PEERS;

export interface Received {
  readonly received: string;
  readonly ended: 'closed' | 'reset' | 'refused' | 'open';
}

export class Stage implements AsyncDisposable {
  readonly #cleanup: Cleanup;
  readonly #podman: Podman;
  readonly #instance: NetworkHost;
  readonly #peers: Readonly<Record<Peer, NetworkHost>>;
  readonly #directory: string;
  #containers = 0;

  private constructor(
    cleanup: Cleanup,
    podman: Podman,
    instance: NetworkHost,
    peers: Readonly<Record<Peer, NetworkHost>>,
    directory: string,
  ) {
    this.#cleanup = cleanup;
    this.#podman = podman;
    this.#instance = instance;
    this.#peers = peers;
    this.#directory = directory;
  }

  static async open(): Promise<Stage> {
    await requirePackages(FOR_CONTAINERS, console.log);
    prepareContainerImages(console.log);
    const cleanup = new Cleanup();
    const directory = await createRunDirectory();
    cleanup.add('the run directory', () => directory.remove());
    const fabric = await createFabric(directory.runId);
    const instance = await fabric.addHost('instance', [INSTANCE]);
    const node = await fabric.addHost('node', [PEERS.node]);
    const stranger = await fabric.addHost('stranger', [PEERS.stranger]);
    const podman = await Podman.withImages(`${directory.path}/oci`, [RECEIVER_ARCHIVE, WHOAMI_ARCHIVE]);
    return new Stage(cleanup, podman, instance, { node, stranger }, directory.path);
  }

  /** The application of the compose file, on port 8080. */
  async startBackend(): Promise<void> {
    const container = this.#start('backend', [
      ...serviceArguments(await composeService('backend'), {}),
      'localhost/proxyflip-whoami',
    ]);
    this.#cleanup.add('the application', () => container.kill());
  }

  /**
   * The receiver of the compose file; not yet ready.
   *
   * @param environment  in the place of what the compose file says
   * @param more         options of `podman run`, which come last and so count
   */
  async startReceiver(
    environment: Readonly<Record<string, string>> = {},
    { volume, more = [] }: { readonly volume?: string; readonly more?: readonly string[] } = {},
  ): Promise<Container> {
    const service = serviceArguments(await composeService('receiver'), {
      environment,
      volumes: { receiver: volume ?? (await this.volume()) },
    });
    const container = this.#start(`receiver-${this.#containers++}`, [
      ...['--add-host', 'backend:127.0.0.1', ...service, ...more],
      'localhost/proxyflip-receiver',
    ]);
    this.#cleanup.add('a receiver', () => container.kill());
    return container;
  }

  async startReadyReceiver(...options: Parameters<Stage['startReceiver']>): Promise<Container> {
    const container = await this.startReceiver(...options);
    await container.ready();
    return container;
  }

  /** A directory of the host in the place of a named volume, with the owner that the image gives it. */
  async volume(owner = 180): Promise<string> {
    await mkdir(path.join(this.#directory, 'volumes'), { recursive: true });
    const directory = await mkdtemp(path.join(this.#directory, 'volumes/'));
    await chown(directory, owner, owner);
    return directory;
  }

  /** One connection from there to the instance. Numbers are pauses. Unit: milliseconds. */
  async connect(from: Peer, port: number, parts: readonly (string | number)[]): Promise<Received> {
    const { namespace } = this.#peers[from];
    const said = await runCommand([
      ...['ip', 'netns', 'exec', namespace, process.execPath, RAW_CLIENT],
      ...[INSTANCE, String(port), JSON.stringify(parts)],
    ]);
    return JSON.parse(said) as Received;
  }

  #start(name: string, args: readonly string[]): Container {
    const unique = `${path.basename(this.#directory)}-${name}`;
    return new Container(
      unique,
      this.#podman,
      this.#podman.runInNamespace(this.#instance.path, ['--name', unique, ...args]),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup[Symbol.asyncDispose]();
  }
}

export interface Said {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class Container {
  stdout = '';
  stderr = '';
  /** Its exit status, when it has ended. */
  readonly ended: Promise<number | null>;
  readonly #name: string;
  readonly #podman: Podman;
  readonly #child: ChildProcess;

  constructor(name: string, podman: Podman, [file = '', ...args]: readonly string[]) {
    this.#name = name;
    this.#podman = podman;
    this.#child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child.stdout?.on('data', (chunk) => {
      this.stdout += chunk;
    });
    this.#child.stderr?.on('data', (chunk) => {
      this.stderr += chunk;
    });
    this.ended = once(this.#child, 'close').then(([status]) => status);
  }

  async exec(...command: readonly string[]): Promise<Said> {
    const [file = '', ...args] = this.#podman.command('exec', this.#name, ...command);
    const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      said.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      said.stderr += chunk;
    });
    const [exitCode] = await once(child, 'close');
    return { exitCode, ...said };
  }

  async ready(): Promise<void> {
    const limit = Date.now() + READY_LIMIT_MS;
    while ((await this.exec('receiver', 'health')).exitCode !== 0) {
      if (this.#child.exitCode !== null || Date.now() > limit) throw new Error(`not ready: ${this.stderr}`);
      await sleep(100);
    }
  }

  /** `docker kill --signal`. */
  async signal(name: string): Promise<void> {
    await this.#podman.run('kill', '--signal', name, this.#name);
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode === null) await this.signal('KILL').catch(() => {});
    await this.ended;
  }
}
