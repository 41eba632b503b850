/** HAProxy's master command line (`-S`), by which the master and each of its workers are asked. Source: management guide, 9.4. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long an answer may take; a loaded machine with two cores takes part of a second. Unit: milliseconds. */
const ANSWER_LIMIT_MS = 10_000;
/** A reload replaces the master, and its socket takes nobody meanwhile; seen: some tenths of a second. Unit: milliseconds. */
const REPLACED_LIMIT_MS = 2_000;

export interface Processes {
  /** The worker that takes new connections; undefined while there is none. */
  readonly current: number | undefined;
  /** Those that reloads have left with the connections that they had. */
  readonly old: readonly number[];
  readonly reloads: number;
  readonly failedReloads: number;
}

export interface Row {
  readonly [column: string]: string;
}

const AWAY: readonly string[] = ['ECONNREFUSED', 'ENOENT', 'EPIPE', 'ECONNRESET'];

/** One command, one answer. @param worker  its process id; undefined = the master itself */
export async function ask(socketPath: string, command: string, worker?: number): Promise<string> {
  const limit = Date.now() + REPLACED_LIMIT_MS;
  for (;;) {
    try {
      return await askOnce(socketPath, command, worker);
    } catch (error) {
      // No master, or one that went away while it was asked (seen as EPIPE). Every command that is used can be said again.
      const isAway = AWAY.includes((error as NodeJS.ErrnoException).code ?? '');
      if (!isAway || Date.now() > limit) throw error;
      await sleep(50);
    }
  }
}

function askOnce(socketPath: string, command: string, worker?: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error(`HAProxy did not answer '${command}'`)));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', reject);
    socket.on('close', () => resolve(Buffer.concat(chunks).toString()));
    socket.write(`${worker === undefined ? '' : `@!${worker} `}${command}\n`);
    socket.end();
  });
}

export async function askProcesses(socketPath: string): Promise<Processes> {
  return parseProcesses(await ask(socketPath, 'show proc'));
}

export function parseProcesses(text: string): Processes {
  let section = '';
  let reloads = 0;
  let failedReloads = 0;
  const current: number[] = [];
  const old: number[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('# ')) section = line.slice(2).trim();
    const [, pid, type, count] = /^(\d+)\s+(\w+)\s+(\d+)/.exec(line) ?? [];
    if (pid === undefined) continue;
    if (type === 'master') {
      reloads = Number(count);
      failedReloads = Number(/\[failed: (\d+)\]/.exec(line)?.[1] ?? 0);
    } else if (type === 'worker') {
      (section === 'old workers' ? old : current).push(Number(pid));
    }
  }
  return { current: current[0], old, reloads, failedReloads };
}

/** `show stat` is CSV whose first line, after `# `, names the columns; text with a comma in it is quoted. */
export function parseStatistics(text: string): Row[] {
  const [header = '', ...lines] = text.trim().split('\n');
  const columns = header.replace(/^# /, '').split(',');
  return lines
    .filter((line) => line.includes(','))
    .map((line) => {
      const values = [...`,${line}`.matchAll(/,("(?:[^"]|"")*"|[^,]*)/g)].map((match) => match[1] ?? '');
      return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? '']));
    });
}
