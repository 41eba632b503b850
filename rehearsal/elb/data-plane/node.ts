/**
 * One node of a load balancer: an HAProxy in a network namespace of its own.
 *
 * Listeners, instances and health checks change by a seamless reload: the new worker is handed the listening sockets and the
 * health that is known, the old one keeps the connections that it has. The PROXY policy changes by one runtime command.
 * Adding and removing servers at runtime was dropped: listeners need the reload anyway, and one way is simpler than two.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkHost } from '../../network/fabric.ts';
import type { NetworkInterface, Subnet } from '../../world.ts';
import type { Configuration } from '../data-plane.ts';
import type { Certificate } from './certificate.ts';
import {
  FILES,
  haproxyConfig,
  instancesOf,
  type Kind,
  kindOf,
  listenerName,
  policyMap,
  type ServerHealth,
  serverState,
  tcpInstancePortsOf,
} from './haproxy-config.ts';
import { ask, askProcesses, parseStatistics, type Row } from './haproxy-master.ts';

/** Seen: 0.1 s to start, 0.2 s to reload; a loaded machine with two cores gets more. Unit: milliseconds. */
const START_LIMIT_MS = 15_000;
const POLL_MS = 20;

export interface NodeOptions {
  readonly loadBalancerName: string;
  readonly host: NetworkHost;
  readonly networkInterface: NetworkInterface;
  readonly subnet: Subnet;
  /** The node's own, made if missing. */
  readonly directory: string;
  readonly certificate: Certificate;
  readonly haproxy: HaproxyLocation;
}

export interface HaproxyLocation {
  /** A root file system to run in (chroot); it is not written to. Default: the host's own. */
  readonly rootDirectory?: string;
  /** Inside that root. Default: `/usr/sbin/haproxy`. */
  readonly binary?: string;
}

/** What one node says of one instance. */
export interface NodeHealth extends ServerHealth {
  /** HAProxy's word for the last check: `INI` none yet, `L4OK`, `L7STS` … */
  readonly lastCheck: string;
}

export interface NodeView {
  readonly address: string;
  readonly networkInterfaceId: string;
  readonly subnetId: string;
  readonly isRunning: boolean;
  /** What a new connection to each instance port begins with, as this node has it now. */
  readonly policyInForce: Readonly<Record<number, Kind>>;
  /** When this node last changed a port's policy; milliseconds since the epoch. */
  readonly policyChangedAt: Readonly<Record<number, number>>;
  /** Connections that are open, and all since the node first started, by kind. */
  readonly openConnections: Readonly<Record<Kind, number>>;
  readonly totalConnections: Readonly<Record<Kind, number>>;
}

/** $1 = the node's directory, $2 = root or '', $3 = binary, $4 = its directory as HAProxy sees it. */
const LAUNCH = `
set -e
if [ -n "$2" ]; then
  mount -t tmpfs none "$2/run"
  mkdir "$2/run/elb"
  mount --bind "$1" "$2/run/elb"
  cd /
  exec chroot "$2" "$3" -W -S "$4/${FILES.master}" -f "$4/${FILES.config}"
fi
exec "$3" -W -S "$4/${FILES.master}" -f "$4/${FILES.config}"
`;

export class Node {
  readonly address: string;
  readonly networkInterface: NetworkInterface;
  readonly subnet: Subnet;
  readonly #options: NodeOptions;
  readonly #masterSocket: string;
  /** Its own directory, as HAProxy sees it. */
  readonly #inside: string;
  readonly #inForce = new Map<number, Kind>();
  readonly #changedAt = new Map<number, number>();
  /** Connections counted by workers that have gone, and what the living ones said last: a reload starts at 0 again. */
  readonly #counted = new Map<number, Record<Kind, number>>();
  #gone: Record<Kind, number> = { plain: 0, proxy: 0 };
  #configuration: Configuration;
  #process: ChildProcess | undefined;
  /** Changes of one node come one after another: a policy must not fall between reading and loading the map. */
  #queue: Promise<unknown> = Promise.resolve();

  /** A new node begins with the policies as they are set now. */
  constructor(options: NodeOptions, configuration: Configuration) {
    this.#options = options;
    this.address = options.networkInterface.privateIpAddress;
    this.networkInterface = options.networkInterface;
    this.subnet = options.subnet;
    this.#masterSocket = path.join(options.directory, FILES.master);
    this.#inside = options.haproxy.rootDirectory === undefined ? options.directory : '/run/elb';
    this.#configuration = configuration;
    for (const port of configuration.proxyPorts) this.#inForce.set(port, 'proxy');
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  policyInForce(instancePort: number): Kind {
    return this.#inForce.get(instancePort) ?? 'plain';
  }

  /** Resolves when it takes connections. */
  start(): Promise<void> {
    return this.#inOrder(async () => {
      if (this.isRunning) return;
      const { directory, haproxy, certificate, host } = this.#options;
      await mkdir(directory, { recursive: true });
      await writeFile(path.join(directory, FILES.certificate), certificate.certificatePem + certificate.privateKeyPem, {
        mode: 0o600,
      });
      await this.#writeFiles(new Map());
      const log = createWriteStream(path.join(directory, 'haproxy.log'), { flags: 'a' });
      const child = spawn(
        'setpriv',
        [
          ...['--pdeathsig', 'KILL', '--', 'nsenter', `--net=${host.path}`, '--'],
          // Process 1 of a namespace: when the control process dies, the kernel ends the master and every worker with it.
          ...['unshare', '--pid', '--fork', '--kill-child=KILL', '--mount', '--propagation', 'private', '--'],
          ...['sh', '-c', LAUNCH, 'sh', directory, haproxy.rootDirectory ?? '', haproxy.binary ?? '/usr/sbin/haproxy'],
          this.#inside,
        ],
        // A session of its own: Ctrl-C in the terminal is for the control process, which ends nodes in order.
        { detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
      );
      child.stdout?.pipe(log, { end: false });
      child.stderr?.pipe(log, { end: false });
      child.once('close', () => log.end());
      child.once('error', () => {});
      this.#process = child;
      await this.#until(`start (see ${directory}/haproxy.log)`, async () => {
        const { current } = await askProcesses(this.#masterSocket);
        return current !== undefined && (await ask(this.#masterSocket, 'show info', current)).includes('Pid:');
      });
    });
  }

  /** As a node that dies: every connection through it ends, and nothing answers at its address. */
  async stop(): Promise<void> {
    await this.view().catch(() => {}); // counts what it has carried
    const child = this.#process;
    if (child === undefined || !this.isRunning) return;
    const closed = once(child, 'exit');
    child.kill('SIGKILL');
    await closed;
    this.#foldCounts([]);
  }

  /** Resolves when new connections are under it. The proxyPorts in it are not taken over: see `setPolicy`. */
  apply(configuration: Configuration): Promise<void> {
    return this.#inOrder(async () => {
      // Evaluation starts again with another target. Source: deis/deis#5036.
      const known =
        configuration.healthCheck.target === this.#configuration.healthCheck.target ? await this.health() : new Map();
      this.#configuration = configuration;
      if (!this.isRunning) return;
      await this.view(); // counts what the present worker has carried
      await this.#writeFiles(known);
      const before = await askProcesses(this.#masterSocket);
      await ask(this.#masterSocket, 'reload');
      await this.#until('reload', async () => {
        const now = await askProcesses(this.#masterSocket);
        if (now.failedReloads > before.failedReloads) {
          throw new ReloadError(`HAProxy refused its configuration: ${await this.#lastLogLines()}`);
        }
        return now.reloads > before.reloads && now.current !== undefined && now.current !== before.current;
      });
    });
  }

  /** New connections alone see it; nothing is reloaded. */
  setPolicy(instancePort: number, kind: Kind): Promise<void> {
    return this.#inOrder(async () => {
      this.#inForce.set(instancePort, kind);
      this.#changedAt.set(instancePort, Date.now());
      if (!this.isRunning) return;
      // First the file, which a later reload reads; a port without a listener is in no loaded map yet.
      await this.#write(FILES.map, policyMap(this.#mapContent()));
      if (!tcpInstancePortsOf(this.#configuration).includes(instancePort)) return;
      const { current } = await askProcesses(this.#masterSocket);
      const answer = await ask(
        this.#masterSocket,
        `set map ${this.#inside}/${FILES.map} ${instancePort} ${kind}`,
        current,
      );
      if (answer.trim() !== '')
        throw new Error(`HAProxy did not take the policy of port ${instancePort}: ${answer.trim()}`);
    });
  }

  /** Only instances that this node sends to; empty while it does not run. */
  async health(): Promise<ReadonlyMap<string, NodeHealth>> {
    if (!this.isRunning) return new Map();
    const { current } = await askProcesses(this.#masterSocket);
    if (current === undefined) return new Map();
    const rows = parseStatistics(await ask(this.#masterSocket, 'show stat health 4 -1', current));
    return new Map(
      rows.map((row) => [
        row.svname ?? '',
        {
          isUp: (row.status ?? '').startsWith('UP'),
          count: Number(row.check_health ?? 0),
          // While a check runs, the word of the last one has a star before it.
          lastCheck: (row.check_status ?? '').replace(/^\* ?/, ''),
        },
      ]),
    );
  }

  /** End what is still carried to an instance that may no longer be sent to. */
  endConnectionsTo(instanceId: string): Promise<void> {
    return this.#endSessions(` srv=${instanceId} `);
  }

  /** End what is still carried of a listener that is gone. */
  endConnectionsOf(loadBalancerPort: number): Promise<void> {
    return this.#endSessions(` fe=${listenerName(loadBalancerPort)} `);
  }

  /** One by one: `shutdown sessions server` answers "Proxy is disabled" in a worker that a reload has replaced (2.6, 3.0). */
  async #endSessions(field: string): Promise<void> {
    for (const worker of await this.#workers()) {
      const sessions = (await ask(this.#masterSocket, 'show sess', worker)).split('\n');
      for (const session of sessions.filter((line) => line.includes(field))) {
        await ask(this.#masterSocket, `shutdown session ${session.split(':')[0]}`, worker);
      }
    }
  }

  async view(): Promise<NodeView> {
    const openConnections: Record<Kind, number> = { plain: 0, proxy: 0 };
    const workers = await this.#workers();
    for (const worker of workers) {
      const rows = parseStatistics(await ask(this.#masterSocket, 'show stat -1 2 -1', worker));
      const total = { plain: sum(rows, 'plain', 'stot'), proxy: sum(rows, 'proxy', 'stot') };
      openConnections.plain += sum(rows, 'plain', 'scur');
      openConnections.proxy += sum(rows, 'proxy', 'scur');
      this.#counted.set(worker, total);
    }
    this.#foldCounts(workers);
    const totalConnections = { ...this.#gone };
    for (const { plain, proxy } of this.#counted.values()) {
      totalConnections.plain += plain;
      totalConnections.proxy += proxy;
    }
    return {
      address: this.address,
      networkInterfaceId: this.networkInterface.networkInterfaceId,
      subnetId: this.subnet.subnetId,
      isRunning: this.isRunning,
      policyInForce: Object.fromEntries(this.#mapContent()),
      policyChangedAt: Object.fromEntries(this.#changedAt),
      openConnections,
      totalConnections,
    };
  }

  /** Counts of workers that have ended are kept apart, since their process ids may come again. */
  #foldCounts(living: readonly number[]): void {
    for (const [worker, counts] of this.#counted) {
      if (living.includes(worker)) continue;
      this.#gone = { plain: this.#gone.plain + counts.plain, proxy: this.#gone.proxy + counts.proxy };
      this.#counted.delete(worker);
    }
  }

  async #workers(): Promise<readonly number[]> {
    if (!this.isRunning) return [];
    const { current, old } = await askProcesses(this.#masterSocket);
    return current === undefined ? old : [current, ...old];
  }

  #mapContent(): Map<number, Kind> {
    const ports = [...tcpInstancePortsOf(this.#configuration), ...this.#inForce.keys()].sort((a, b) => a - b);
    return new Map(ports.map((port) => [port, this.policyInForce(port)]));
  }

  async #writeFiles(known: ReadonlyMap<string, ServerHealth>): Promise<void> {
    const instances = instancesOf(this.#configuration, this.subnet.availabilityZone);
    await this.#write(FILES.config, haproxyConfig(this.#configuration, instances, { directory: this.#inside }));
    await this.#write(FILES.serverState, serverState(instances, this.#configuration.healthCheck, known));
    await this.#write(FILES.map, policyMap(this.#mapContent()));
  }

  /** Whole or not at all. */
  async #write(file: string, content: string): Promise<void> {
    const target = path.join(this.#options.directory, file);
    await writeFile(`${target}.new`, content);
    await rename(`${target}.new`, target);
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const limit = Date.now() + START_LIMIT_MS;
    let lastSeen: unknown = 'nothing';
    while (Date.now() < limit) {
      if (!this.isRunning) throw new Error(`node ${this.address} ended: ${await this.#lastLogLines()}`);
      try {
        if (await condition()) return;
      } catch (error) {
        if (error instanceof ReloadError) throw error;
        lastSeen = error; // the master's socket is not there yet, or the master is being replaced
      }
      await sleep(POLL_MS);
    }
    throw new Error(`node ${this.address}: no ${what} after ${START_LIMIT_MS / 1000} s; last seen: ${lastSeen}`);
  }

  async #lastLogLines(): Promise<string> {
    const log = await readFile(path.join(this.#options.directory, 'haproxy.log'), 'utf8').catch(() => '');
    return log.trim().split('\n').slice(-5).join(' | ');
  }

  #inOrder<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(step);
    this.#queue = result.catch(() => {});
    return result;
  }
}

class ReloadError extends Error {}

function sum(rows: readonly Row[], kind: Kind, column: 'scur' | 'stot'): number {
  return rows
    .filter(({ pxname = '' }) => kindOf(pxname) === kind)
    .reduce((total, row) => total + Number(row[column] ?? 0), 0);
}
