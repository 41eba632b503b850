/**
 * One HAProxy in a network namespace of its own: the program of a load balancer's node, of whatever kind that is.
 *
 * Its configuration changes by a seamless reload: the new worker is handed the listening sockets and the health that is known, the
 * old one keeps the connections that it has. Adding and removing servers at runtime was dropped: listeners need the reload anyway,
 * and one way is simpler than two.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NetworkHost } from '../network/fabric.ts';
import { ask, askProcesses, parseStatistics, type Row } from './haproxy-master.ts';
import type { ServerHealth } from './server-state.ts';

/** Seen: 0.1 s to start, 0.2 s to reload; a loaded machine with two cores gets more. Unit: milliseconds. */
const START_LIMIT_MS = 15_000;
const POLL_MS = 20;

/** Below the process's directory. */
export const FILES = {
  config: 'haproxy.cfg',
  serverState: 'server-state',
  certificate: 'certificate.pem',
  master: 'master.sock',
} as const;

export interface HaproxyLocation {
  /** A root file system to run in (chroot); it is not written to. Default: the host's own. */
  readonly rootDirectory?: string;
  /** Inside that root. Default: `/usr/sbin/haproxy`. */
  readonly binary?: string;
}

export interface HaproxyProcessOptions {
  /** For messages. */
  readonly name: string;
  readonly host: NetworkHost;
  /** Its own, made if missing. */
  readonly directory: string;
  readonly haproxy: HaproxyLocation;
}

/** What it says of one server that is checked. */
export interface CheckedHealth extends ServerHealth {
  readonly backend: string;
  readonly server: string;
  /** HAProxy's word for the last check: `INI` none yet, `L4OK`, `L7STS` … */
  readonly lastCheck: string;
}

/** $1 = the directory, $2 = root or '', $3 = binary, $4 = the directory as HAProxy sees it. */
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

/** What every configuration begins with. @param inside  the directory as HAProxy sees it */
export function globalSection(inside: string): string[] {
  return [
    'global',
    `  stats socket ${inside}/stats.sock mode 600 level admin expose-fd listeners`,
    `  server-state-file ${inside}/${FILES.serverState}`,
    // The connections that it takes follow from the descriptors that it may have; some hosts allow a thousand millions.
    '  fd-hard-limit 65536',
    '  nbthread 1',
    '  log stdout format raw local0 notice',
  ];
}

export class HaproxyProcess {
  /** Its directory, as HAProxy sees it, for paths in its configuration. */
  readonly inside: string;
  readonly #options: HaproxyProcessOptions;
  readonly #masterSocket: string;
  #process: ChildProcess | undefined;

  constructor(options: HaproxyProcessOptions) {
    this.#options = options;
    this.#masterSocket = path.join(options.directory, FILES.master);
    this.inside = options.haproxy.rootDirectory === undefined ? options.directory : '/run/elb';
  }

  get isRunning(): boolean {
    return this.#process !== undefined && this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** Whole or not at all. @param file  one name, below its directory */
  async write(file: string, content: string): Promise<void> {
    const target = path.join(this.#options.directory, file);
    await mkdir(this.#options.directory, { recursive: true });
    await writeFile(`${target}.new`, content, { mode: 0o600 });
    await rename(`${target}.new`, target);
  }

  /** Resolves when it takes connections. Its files have been written. */
  async start(): Promise<void> {
    const { directory, haproxy, host } = this.#options;
    const log = createWriteStream(path.join(directory, 'haproxy.log'), { flags: 'a' });
    const child = spawn(
      'setpriv',
      [
        ...['--pdeathsig', 'KILL', '--', 'nsenter', `--net=${host.path}`, '--'],
        // Process 1 of a namespace: when the control process dies, the kernel ends the master and every worker with it.
        ...['unshare', '--pid', '--fork', '--kill-child=KILL', '--mount', '--propagation', 'private', '--'],
        ...['sh', '-c', LAUNCH, 'sh', directory, haproxy.rootDirectory ?? '', haproxy.binary ?? '/usr/sbin/haproxy'],
        this.inside,
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
      return current !== undefined && (await this.ask('show info', current)).includes('Pid:');
    });
  }

  /** As a node that dies: every connection through it ends, and nothing answers at its address. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || !this.isRunning) return;
    const closed = once(child, 'exit');
    child.kill('SIGKILL');
    await closed;
  }

  /** Resolves when new connections are under the files as they have been written. */
  async reload(): Promise<void> {
    const before = await askProcesses(this.#masterSocket);
    await ask(this.#masterSocket, 'reload');
    await this.#until('reload', async () => {
      const now = await askProcesses(this.#masterSocket);
      if (now.failedReloads > before.failedReloads) {
        throw new ReloadError(`HAProxy refused its configuration: ${await this.#lastLogLines()}`);
      }
      return now.reloads > before.reloads && now.current !== undefined && now.current !== before.current;
    });
  }

  /** One command, one answer. @param worker  default: the one that takes new connections */
  async ask(command: string, worker?: number): Promise<string> {
    return ask(this.#masterSocket, command, worker ?? (await askProcesses(this.#masterSocket)).current);
  }

  /** The one that takes new connections first, then those that reloads have left; none while it does not run. */
  async workers(): Promise<readonly number[]> {
    if (!this.isRunning) return [];
    const { current, old } = await askProcesses(this.#masterSocket);
    return current === undefined ? old : [current, ...old];
  }

  /** Of the backends whose names begin so; empty while it does not run. */
  async health(prefix: string): Promise<readonly CheckedHealth[]> {
    const [current] = await this.workers();
    if (current === undefined) return [];
    const rows = parseStatistics(await this.ask('show stat -1 4 -1', current));
    return rows.flatMap(({ pxname = '', svname = '', status = '', check_health, check_status = '' }) =>
      pxname.startsWith(prefix)
        ? [
            {
              backend: pxname,
              server: svname,
              isUp: status.startsWith('UP'),
              count: Number(check_health ?? 0),
              // While a check runs, the word of the last one has a star before it.
              lastCheck: check_status.replace(/^\* ?/, ''),
            },
          ]
        : [],
    );
  }

  /** How many connections go to a server of that name now, in every worker. @param backends  their names */
  async connectionsTo(backends: readonly string[], server: string): Promise<number> {
    let total = 0;
    for (const worker of await this.workers()) {
      const rows = parseStatistics(await this.ask('show stat -1 4 -1', worker));
      for (const { pxname = '', svname, scur = '0' } of rows) {
        if (svname === server && backends.includes(pxname)) total += Number(scur);
      }
    }
    return total;
  }

  /**
   * Give a server nothing new, and leave it what it has: for clients whose idle connections an earlier worker keeps after the reload
   * that takes the server away.
   */
  async retire(backends: readonly string[], server: string): Promise<void> {
    for (const backend of backends) await this.ask(`set server ${backend}/${server} state maint`);
  }

  /** By worker. */
  async backendStatistics(): Promise<ReadonlyMap<number, readonly Row[]>> {
    const result = new Map<number, readonly Row[]>();
    for (const worker of await this.workers()) {
      result.set(worker, parseStatistics(await this.ask('show stat -1 2 -1', worker)));
    }
    return result;
  }

  /**
   * One by one: `shutdown sessions server` answers "Proxy is disabled" in a worker that a reload has replaced (2.6, 3.0).
   *
   * @param fields  of a line of `show sess`, all of them: `srv=i-1`, `fe=listener-80`
   */
  async endSessions(...fields: readonly string[]): Promise<void> {
    for (const worker of await this.workers()) {
      const sessions = (await this.ask('show sess', worker)).split('\n');
      for (const session of sessions.filter((line) => fields.every((field) => line.includes(` ${field} `)))) {
        await this.ask(`shutdown session ${session.split(':')[0]}`, worker);
      }
    }
  }

  async #until(what: string, condition: () => Promise<boolean>): Promise<void> {
    const { name } = this.#options;
    const limit = Date.now() + START_LIMIT_MS;
    let lastSeen: unknown = 'nothing';
    while (Date.now() < limit) {
      if (!this.isRunning) throw new Error(`${name} ended: ${await this.#lastLogLines()}`);
      try {
        if (await condition()) return;
      } catch (error) {
        if (error instanceof ReloadError) throw error;
        lastSeen = error; // the master's socket is not there yet, or the master is being replaced
      }
      await sleep(POLL_MS);
    }
    throw new Error(`${name}: no ${what} after ${START_LIMIT_MS / 1000} s; last seen: ${lastSeen}`);
  }

  async #lastLogLines(): Promise<string> {
    const log = await readFile(path.join(this.#options.directory, 'haproxy.log'), 'utf8').catch(() => '');
    return log.trim().split('\n').slice(-5).join(' | ');
  }
}

class ReloadError extends Error {}
