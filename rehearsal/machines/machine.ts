/**
 * A machine: systemd, booted by systemd-nspawn on an overlay of an image, in a network namespace of its own.
 *
 * Its overlay is mounted in a mount namespace that only its supervisor is in, so that it goes when the machine does. If
 * the control process dies, the kernel ends systemd-nspawn and what is in it (setpriv --pdeathsig), and the next run
 * removes the directory and the network namespace.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { HOST_HAS_SYSTEMD, machineCgroup } from '../host/cgroup.ts';
import { runCommand } from '../host/run-command.ts';
import type { Fabric } from '../network/fabric.ts';
import type { ExecOptions, ExecResult, Machine } from '../world.ts';

/** Seen: half a second to a few; a loaded machine with two cores gets more. Unit: milliseconds. */
const BOOT_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 10_000;

export interface MachineOptions {
  readonly name: string;
  readonly fabric: Fabric;
  readonly privateIpAddress: string;
  /** The image's directory (`prepareImage`). */
  readonly image: string;
  /** The run's directory. */
  readonly directory: string;
  /** By path, put there before it boots. */
  readonly files?: Readonly<Record<string, string>>;
}

export type StartedMachine = Machine & AsyncDisposable;

/** $1 = control group or '', $2 = lower, $3 = upper, $4 = work, $5 = root; the rest is systemd-nspawn's command line. */
const SUPERVISE = `
set -e
if [ -n "$1" ]; then mkdir -p "$1" && echo $$ >"$1/cgroup.procs"; fi
mount -t overlay overlay -o "lowerdir=$2,upperdir=$3,workdir=$4" "$5"
shift 5
exec systemd-nspawn "$@"
`;

/** With --keep-unit systemd-nspawn leaves a reboot to its service manager, by this status (systemd-nspawn@.service). */
const REBOOT_EXIT_STATUS = 133;

export async function startMachine(options: MachineOptions): Promise<StartedMachine> {
  const { name, fabric, privateIpAddress, image } = options;
  const directory = path.join(options.directory, name);
  const root = path.join(directory, 'root');
  for (const each of ['upper', 'work', 'root']) await mkdir(path.join(directory, each), { recursive: true });
  for (const [file, content] of Object.entries(options.files ?? {})) {
    const target = path.join(directory, 'upper', file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, content);
  }
  const host = await fabric.addHost(name, [privateIpAddress]);

  const log = createWriteStream(path.join(directory, 'console.log'));
  const supervise = (): ChildProcess => {
    const child = spawn(
      'setpriv',
      [
        '--pdeathsig',
        'KILL',
        '--',
        'unshare',
        '--mount',
        '--propagation',
        'private',
        '--',
        'sh',
        '-c',
        SUPERVISE,
        'sh',
        machineCgroup(fabric.runId, name),
        image,
        path.join(directory, 'upper'),
        path.join(directory, 'work'),
        root,
        '--quiet',
        '--boot',
        '--register=no',
        // Where systemd runs the host, systemd-nspawn asks it for a scope; elsewhere there is none to ask.
        ...(HOST_HAS_SYSTEMD ? [] : ['--keep-unit']),
        `--directory=${root}`,
        `--machine=${fabric.runId}-${name}`,
        // EC2 names an instance after its address.
        `--hostname=ip-${privateIpAddress.replaceAll('.', '-')}`,
        `--network-namespace-path=${host.path}`,
        '--capability=CAP_NET_ADMIN',
        '--resolv-conf=off',
        '--timezone=off',
        '--link-journal=no',
        '--console=pipe',
      ],
      {
        // A session of its own: Ctrl-C in the terminal is for the control process, which ends machines in order.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          // /proc/sys/net is the machine's own namespace's, and nothing else of /proc/sys is writable.
          SYSTEMD_NSPAWN_API_VFS_WRITABLE: 'network',
          // systemd 257 (trixie) starts on the unified hierarchy alone; 252 takes either.
          SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
        },
      },
    );
    child.stdout?.pipe(log, { end: false });
    child.stderr?.pipe(log, { end: false });
    child.once('exit', (status) => {
      if (status === REBOOT_EXIT_STATUS) supervisor = supervise();
    });
    child.once('close', (status) => {
      if (status !== REBOOT_EXIT_STATUS) log.end();
    });
    return child;
  };
  let supervisor = supervise();

  let rebooting = false;
  /** Process 1 of the machine, seen from the host; undefined while there is none. */
  const leader = (): number | undefined => {
    try {
      const pid = supervisor.pid;
      const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
      return children.length === 0 ? undefined : Number(children[0]);
    } catch {
      return undefined;
    }
  };
  const inside = (pid: number, command: readonly string[]): string[] => [
    'nsenter',
    `--target=${pid}`,
    '--mount',
    '--uts',
    '--ipc',
    '--net',
    '--pid',
    '--cgroup',
    // A shell waits and not nsenter: at its end systemd stops every process, an nsenter that sees its child stopped stops itself, out
    // here where nobody continues it, and systemd waits for a child that nobody reaps.
    '--no-fork',
    ...['--', 'sh', '-c', '"$@"; exit $?', 'sh'],
    ...command,
  ];

  async function waitForBoot(): Promise<void> {
    const limit = Date.now() + BOOT_LIMIT_MS;
    let lastSeen = 'no process 1';
    while (Date.now() < limit) {
      if (![null, REBOOT_EXIT_STATUS].includes(supervisor.exitCode))
        throw new Error(`machine ${name}: systemd-nspawn ended, see ${directory}/console.log`);
      const pid = leader();
      if (pid !== undefined) {
        try {
          // Exit status 0 only for "running"; "degraded" (1) has booted too, with a failed unit that its owner may look at.
          lastSeen = (await runCommand(inside(pid, ['sh', '-c', 'systemctl is-system-running || true']))).trim();
        } catch {
          // The namespaces of process 1 are not all made yet.
        }
        if (lastSeen === 'running' || lastSeen === 'degraded') return;
      }
      await sleep(100);
    }
    throw new Error(`machine ${name} has not booted after ${BOOT_LIMIT_MS / 1000} s; last seen: ${lastSeen}`);
  }

  async function exec(command: readonly string[], execOptions: ExecOptions = {}): Promise<ExecResult> {
    const pid = leader();
    if (pid === undefined || rebooting) return { exitCode: 255, stdout: '', stderr: `machine ${name} is not running` };
    const unit = `exec-${randomBytes(6).toString('hex')}`;
    const child = spawn(
      'nsenter',
      inside(pid, [
        'systemd-run',
        '--quiet',
        '--pipe',
        '--wait',
        '--collect',
        `--unit=${unit}`,
        '--service-type=exec',
        ...(execOptions.cwd === undefined ? [] : [`--working-directory=${execOptions.cwd}`]),
        ...Object.entries(execOptions.env ?? {}).map(([key, value]) => `--setenv=${key}=${value}`),
        '--',
        ...command,
      ]).slice(1),
      { stdio: ['pipe', 'pipe', 'pipe'] },
    );
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.stdin.on('error', () => {});
    child.stdin.end(execOptions.stdin ?? '');

    // Ends the unit's whole control group, as the agent ends the process group of a cancelled command.
    const stop = (): void => {
      const now = leader();
      if (now !== undefined) runCommand(inside(now, ['systemctl', 'kill', '--signal=KILL', unit])).catch(() => {});
    };
    const timer = execOptions.timeoutSeconds ? setTimeout(stop, execOptions.timeoutSeconds * 1000) : undefined;
    execOptions.signal?.addEventListener('abort', stop, { once: true });
    if (execOptions.signal?.aborted) stop();
    const [exitCode] = await once(child, 'close');
    clearTimeout(timer);
    execOptions.signal?.removeEventListener('abort', stop);
    return {
      exitCode: exitCode ?? 255,
      stdout: Buffer.concat(out).toString(),
      stderr: Buffer.concat(err).toString(),
    };
  }

  await waitForBoot();
  return {
    name,
    privateIpAddress,
    writtenFile: (file) => path.join(directory, 'upper', file),
    isRunning: () => !rebooting && leader() !== undefined,
    exec,
    async reboot() {
      const before = leader();
      if (before === undefined) throw new Error(`machine ${name} is not running`);
      rebooting = true;
      try {
        await runCommand(inside(before, ['systemctl', 'reboot'])).catch(() => {
          // The command is ended with the machine that it reboots.
        });
        const limit = Date.now() + BOOT_LIMIT_MS;
        while (leader() === before && Date.now() < limit) await sleep(50);
        await waitForBoot();
      } finally {
        rebooting = false;
      }
    },
    async [Symbol.asyncDispose]() {
      if (supervisor.exitCode === null && supervisor.signalCode === null) {
        // SIGTERM asks process 1 to power off in order; a hanging unit must not hold up the end of a rehearsal.
        const ended = once(supervisor, 'exit');
        // By its process 1, and so all of it: that one would outlive a systemd-nspawn that was killed.
        const killer = setTimeout(() => process.kill(leader() ?? (supervisor.pid as number), 'SIGKILL'), STOP_LIMIT_MS);
        supervisor.kill('SIGTERM');
        await ended;
        clearTimeout(killer);
      }
      await fabric.removeHost(name);
    },
  };
}
