/**
 * Podman from Debian's packages, with a storage of its own in the run's directory: whatever containers the host has are left alone, and
 * what a killed run leaves goes with its directory and its network namespaces.
 */
import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../host/run-command.ts';

/**
 * In a mount namespace of one's own. On a host whose control groups are half of the old kind, crun refuses to run ("cgroups in hybrid
 * mode not supported"); the new hierarchy alone is mounted there, and used for nothing.
 */
export const PREPARE_CGROUPS = `
set -e
if [ "$(stat --file-system --format=%T /sys/fs/cgroup)" != cgroup2fs ]; then mount -t cgroup2 cgroup2 /sys/fs/cgroup; fi
`;

export class Podman {
  readonly #directory: string;

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /**
   * @param directory  short: podman refuses a path of more than 50 characters for what it keeps while it runs
   * @param archives   as `npm run image` makes them
   * @throws CommandFailedError
   */
  static async withImages(directory: string, archives: readonly string[]): Promise<Podman> {
    await mkdir(directory, { recursive: true });
    const podman = new Podman(directory);
    for (const archive of archives) await podman.run('load', '--quiet', '--input', archive);
    return podman;
  }

  /** The command line that runs podman; in the foreground, and only as long as its parent lives. */
  command(...args: readonly string[]): string[] {
    const storage = ['--root', path.join(this.#directory, 'root'), '--runroot', path.join(this.#directory, 'run')];
    return [
      ...['setpriv', '--pdeathsig', 'KILL', '--', 'unshare', '--mount', '--propagation', 'private', '--'],
      ...['sh', '-c', `${PREPARE_CGROUPS}exec podman "$@"`, 'podman', ...storage, '--events-backend', 'none', ...args],
    ];
  }

  /** To its end. @returns what it printed. @throws CommandFailedError */
  run(...args: readonly string[]): Promise<string> {
    return runCommand(this.command(...args));
  }

  /** `podman run` of one container that shares a network namespace, without the parts of a runtime that need a service manager. */
  runInNamespace(namespacePath: string, args: readonly string[]): string[] {
    return this.command(
      ...['run', '--rm', '--network', `ns:${namespacePath}`, '--cgroups', 'disabled', '--log-driver', 'none'],
      // Podman would raise both to values of its own, for which root needs CAP_SYS_RESOURCE. (It refuses the host's own number of
      // processes, too; a receiver has ten.)
      ...['--ulimit', `nofile=${openFiles()}`, '--ulimit', 'nproc=4096:4096'],
      ...args,
    );
  }
}

/** The most that this process may have, as `soft:hard`. Source: proc(5), /proc/self/limits. */
function openFiles(): string {
  const [, hard = '1024'] = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? [];
  return `${hard}:${hard}`;
}
