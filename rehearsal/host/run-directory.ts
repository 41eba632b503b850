/**
 * Where a run keeps what it makes, and how what a killed run left is found and removed.
 *
 * What outlives a process on its own carries the run's id: its directory, its network namespaces, its control groups. A run
 * whose owner is gone is a leftover, whatever ended it.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { removeCgroups } from './cgroup.ts';
import { runCommand } from './run-command.ts';

/** On a disk, not in /run: a machine's overlay holds whole packages, and a tmpfs would take them from memory. */
const STATE_DIRECTORY = '/var/lib/proxyflip-rehearsal';
export const IMAGES_DIRECTORY = path.join(STATE_DIRECTORY, 'images');
const RUNS_DIRECTORY = path.join(STATE_DIRECTORY, 'runs');

export interface RunDirectory {
  /** Six hexadecimal digits; the prefix `pf<id>` marks all that the run makes. */
  readonly runId: string;
  readonly path: string;
  /** Remove everything that the run made. Also runs for leftovers; each of its steps tolerates that there is nothing. */
  remove(): Promise<void>;
}

/** A process is the same only if it also started at the same time: ids are used again. Source: proc(5), field 22. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

export async function createRunDirectory(): Promise<RunDirectory> {
  const runId = randomBytes(3).toString('hex');
  const directory = path.join(RUNS_DIRECTORY, runId);
  await mkdir(directory, { recursive: true, mode: 0o755 });
  await writeFile(path.join(directory, 'owner'), `${process.pid} ${startTime(process.pid)}\n`);
  return { runId, path: directory, remove: () => removeRun(runId) };
}

/** Remove what runs left whose owner is gone. @returns their ids */
export async function removeLeftovers(): Promise<string[]> {
  const runs = existsSync(RUNS_DIRECTORY) ? await readdir(RUNS_DIRECTORY) : [];
  const left = runs.filter((runId) => !hasLivingOwner(runId));
  for (const runId of left) await removeRun(runId);
  return left;
}

function hasLivingOwner(runId: string): boolean {
  try {
    const [pid = '', started] = readFileSync(path.join(RUNS_DIRECTORY, runId, 'owner'), 'utf8')
      .trim()
      .split(' ');
    return started !== undefined && startTime(Number(pid)) === started;
  } catch {
    return false;
  }
}

async function removeRun(runId: string): Promise<void> {
  const directory = path.join(RUNS_DIRECTORY, runId);
  const namespaces = (await runCommand(['ip', 'netns', 'list']))
    .split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => name.startsWith(`pf${runId}-`));
  for (const namespace of namespaces) await endProcesses(namespace);
  // The bridge and the virtual Ethernet pairs are inside the namespaces and go with them.
  for (const namespace of namespaces) await runCommand(['ip', 'netns', 'delete', namespace]);
  removeCgroups(runId);
  await rm(directory, { recursive: true, force: true });
}

/** The namespace names its processes: no pattern over command lines, which may hit what is not ours. */
async function endProcesses(namespace: string): Promise<void> {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const pids = (await runCommand(['ip', 'netns', 'pids', namespace])).split('\n').filter(Boolean).map(Number);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has just ended by itself.
      }
    }
    await sleep(100);
  }
  throw new Error(`processes in network namespace ${namespace} do not end, although they were killed`);
}
