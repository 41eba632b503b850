/**
 * Whether memory and file descriptors stay where they are in a long run. No clock and no /proc: it is given what was seen.
 *
 * A run is cut into thirds by time; of each group of processes the median of the last third is held against that of the first.
 * Medians, because a reload doubles nginx's workers for a moment and a garbage collection halves a heap; the first third,
 * and not the first sample, because pools and heaps fill in a run's first minutes and then stay.
 */
import type { ProcessUse } from '../host/processes.ts';
import { count, counted } from './words.ts';

export interface ResourceSample {
  /** Since the traffic's start. */
  readonly atMs: number;
  readonly residentBytes: number;
  readonly fileDescriptors: number;
}

export interface ResourceSeries {
  /** `nginx` … `clients`; of each there may be several series. */
  readonly program: Program;
  /** Where it runs; '' for what is no machine's. */
  readonly machine: string;
  readonly samples: readonly ResourceSample[];
}

/** A figure in the first and in the last third of a run, and by how much it may have grown. */
export interface Growth {
  readonly first: number;
  readonly last: number;
  readonly allowed: number;
}

export interface ResourceReport {
  readonly groups: readonly {
    readonly program: Program;
    readonly machine: string;
    /** Unit: bytes. */
    readonly memory: Growth;
    readonly fileDescriptors: Growth;
  }[];
  /** Series that are not in every third, as those of a machine that was launched or ended meanwhile. */
  readonly cameOrWent: number;
}

/** A shorter run is still warming up, and is not judged. Unit: milliseconds. */
export const JUDGED_FROM_MS = 15 * 60_000;
const SAMPLES_IN_A_THIRD = 10;

const MIB = 1024 * 1024;

/**
 * By how much a median may grow: a share of the first, and this much at least.
 *
 * nginx and HAProxy: in an hour of the default traffic some 300,000 connections lie between the medians on each of three machines, so
 * 4 MiB are 14 bytes for each, less than the smallest thing that could be forgotten; 16 descriptors are one in 20,000.
 * What runs on Node.js moves by more than that with its garbage collector alone (seen: ± 15 % of some 90 to 190 MiB), and the rehearsal
 * keeps, as AWS does, a record of every command and execution.
 */
const ALLOWED = {
  native: { share: 0.1, bytes: 4 * MIB, fileDescriptors: 16 },
  nodejs: { share: 0.25, bytes: 32 * MIB, fileDescriptors: 16 },
} as const;

const PROGRAMS = {
  nginx: 'native',
  HAProxy: 'native',
  chat: 'nodejs',
  "the load balancer's nodes": 'native',
  clients: 'nodejs',
  gateway: 'nodejs',
  'the rehearsal': 'nodejs',
} as const satisfies Record<string, keyof typeof ALLOWED>;

export type Program = keyof typeof PROGRAMS;

/** Units of a machine that are watched; Debian's own haproxy.service serves nothing. */
const UNITS: Readonly<Record<string, Program>> = {
  'nginx.service': 'nginx',
  'proxyflip-haproxy.service': 'HAProxy',
  'proxyflip-chat.service': 'chat',
};

/** @returns undefined for what is not watched, such as a function that comes and goes */
export function groupOf(
  process: Pick<ProcessUse, 'pid' | 'controlGroup' | 'command'>,
  run: { readonly runId: string; readonly pid: number },
): { program: Program; machine: string } | undefined {
  // `/pf<run>-m0/payload/system.slice/…` or, by the host's systemd, `/machine.slice/machine-<run>\x2dm0.scope/payload/…`.
  const [, machine, unit = ''] =
    new RegExp(`${run.runId}(?:-|\\\\x2d)([^/]+?)(?:\\.scope)?/(?:.*/)?([^/]+)$`).exec(process.controlGroup) ?? [];
  if (machine !== undefined) return UNITS[unit] && { program: UNITS[unit], machine };
  const program = programOf(process, run.pid);
  return program && { program, machine: '' };
}

function programOf({ pid, command }: Pick<ProcessUse, 'pid' | 'command'>, ownPid: number): Program | undefined {
  if (pid === ownPid) return 'the rehearsal';
  if (command.includes('/rehearsal/traffic.mjs')) return 'clients';
  if (command.includes('/rehearsal/gateway.mjs')) return 'gateway';
  if (/^\S*\/haproxy /.test(command)) return "the load balancer's nodes";
  return undefined;
}

/** @returns undefined where the run was too short to be judged */
export function resourceReport(series: readonly ResourceSeries[], durationMs: number): ResourceReport | undefined {
  if (durationMs < JUDGED_FROM_MS) return undefined;
  const judged = series.flatMap(({ program, machine, samples }) => {
    const first = samples.filter(({ atMs }) => atMs < durationMs / 3);
    const middle = samples.filter(({ atMs }) => atMs >= durationMs / 3 && atMs < (durationMs * 2) / 3);
    const last = samples.filter(({ atMs }) => atMs >= (durationMs * 2) / 3);
    if ([first, middle, last].some(({ length }) => length < SAMPLES_IN_A_THIRD)) return [];
    const allowed = ALLOWED[PROGRAMS[program]];
    const growth = (figure: 'residentBytes' | 'fileDescriptors', least: number): Growth => {
      const before = median(first.map((sample) => sample[figure]));
      return {
        first: before,
        last: median(last.map((sample) => sample[figure])),
        allowed: Math.max(least, before * allowed.share),
      };
    };
    return [
      {
        program,
        machine,
        memory: growth('residentBytes', allowed.bytes),
        fileDescriptors: growth('fileDescriptors', allowed.fileDescriptors),
      },
    ];
  });
  return { groups: judged, cameOrWent: series.length - judged.length };
}

/** @param watched  of which programs something has to have been seen from the beginning to the end */
export function shortOfFlat({ groups }: ResourceReport, watched: readonly Program[]): string[] {
  const unseen = watched.filter((program) => !groups.some((group) => group.program === program));
  return [
    ...unseen.map((program) => `of ${program} nothing was watched for the whole run: nothing is known of its memory`),
    ...groups.flatMap((group) => [
      ...grown(group.memory, `the memory of ${nameOf(group)}`, mebibytes),
      ...grown(group.fileDescriptors, `the file descriptors of ${nameOf(group)}`, count),
    ]),
  ];
}

function grown({ first, last, allowed }: Growth, what: string, inWords: (value: number) => string): string[] {
  if (last - first <= allowed) return [];
  return [
    `${what} went from ${inWords(first)} to ${inWords(last)} (medians of the first and the last third; at most ${inWords(first + allowed)} may be)`,
  ];
}

/** A line for each program: `nginx  3 machines  31.2 → 31.4 MiB  170 → 171 file descriptors`, the one that grew the most. */
export function resourceLines({ groups, cameOrWent }: ResourceReport): string[] {
  const programs = (Object.keys(PROGRAMS) as Program[]).flatMap((program) => {
    const own = groups.filter((group) => group.program === program);
    const [memory] = own.map((group) => group.memory).sort(byGrowth);
    const [fileDescriptors] = own.map((group) => group.fileDescriptors).sort(byGrowth);
    if (memory === undefined || fileDescriptors === undefined) return [];
    const where = own[0]?.machine === '' ? '' : `on ${counted(own.length, 'machine')}`;
    return `${program.padEnd(26)}${where.padEnd(15)}${mebibytes(memory.first).padStart(9)} → ${mebibytes(memory.last).padEnd(12)}${count(fileDescriptors.first).padStart(5)} → ${counted(fileDescriptors.last, 'file descriptor')}`;
  });
  return cameOrWent === 0
    ? programs
    : [...programs, `${counted(cameOrWent, 'process group')} of machines that came or went: not judged`];
}

const byGrowth = (left: Growth, right: Growth): number => right.last - right.first - (left.last - left.first);

function nameOf({ program, machine }: { readonly program: Program; readonly machine: string }): string {
  return machine === '' ? program : `${program} on ${machine}`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}
