/** The matrix as a page, from the cases of a run and nothing else. Pure. */
import { type Case, describeCase } from './case.ts';
import type { Direction } from './recorded-call.ts';

export interface FaultRun {
  /** ISO 8601. */
  readonly startedAt: string;
  readonly durationMs: number;
  /** As it can be given again. */
  readonly command: string;
  /** It was ended before it had run all. */
  readonly isInterrupted?: boolean;
  readonly cases: readonly Case[];
  /** Of the runs on machines, in words. Absent: there were none. */
  readonly traffic?: string;
}

const DIRECTIONS: readonly Direction[] = ['enable', 'disable'];

/** @param given  one, or as many as the matrix was run in; what several have met counts as the last of them has */
export function faultsPage(given: readonly FaultRun[]): string {
  const runs = given.toSorted((a, b) => a.startedAt.localeCompare(b.startedAt));
  const cases = runs.flatMap((run, index) => {
    const later = new Set(runs.slice(index + 1).flatMap((each) => each.cases.map(placeOf)));
    return run.cases.filter((each) => !later.has(placeOf(each)));
  });
  const parts = [...new Set(cases.map(({ part }) => part))];
  const short = cases.filter(({ wrong }) => wrong.length > 0);
  return `${[
    '# Faults',
    `Written by ${runs.map(commandOf).join(', ')}; not by hand. What each part does and what in it is assumed: [rehearsal/faults](../rehearsal/faults/README.md).`,
    countsOf(cases, parts),
    ...runs.flatMap(({ traffic }) => traffic ?? []),
    short.length === 0
      ? '**None falls short**: in each the fault was seen to happen, what was not cut off by the fault itself was served, and the work was ended by the run itself or by the next.'
      : `**${short.length} fall short:**\n\n${short.map((each) => `- ${describeCase(each)}`).join('\n')}`,
    'In a cell, first `enable`, then `disable`: `=` the run got over it and ended the work; `>` the run stopped, said how things are, left a fleet that serves, and the next run ended the work; `!` it fell short; `·` there is no such case.',
    ...parts.flatMap((part) => [`## ${part}`, tableOf(cases.filter((each) => each.part === part))]),
  ].join('\n\n')}\n`;
}

const placeOf = ({ part, fault, where, direction }: Case): string => [part, fault, where, direction].join('\n');

function commandOf({ command, startedAt, durationMs, isInterrupted = false }: FaultRun): string {
  const minutes = Math.max(1, Math.round(durationMs / 60_000));
  return `\`${command}\` on ${startedAt.slice(0, 10)} (${minutes} min${isInterrupted ? ', interrupted' : ''})`;
}

/** `recorded calls × faults × directions` as far as each is possible, and the rest. */
function countsOf(cases: readonly Case[], parts: readonly string[]): string {
  const rows = parts.map((part) => {
    const own = cases.filter((each) => each.part === part);
    const places = new Set(own.map(({ where, direction }) => `${direction} ${where}`)).size;
    const faults = new Set(own.map(({ fault }) => fault)).size;
    return `| ${part} | ${places} | ${faults} | ${own.length} |`;
  });
  return [
    '| part | places, both directions counted | faults | cases |',
    '|---|---|---|---|',
    ...rows,
    `| all | | | ${cases.length} |`,
  ].join('\n');
}

function tableOf(cases: readonly Case[]): string {
  const faults = [...new Set(cases.map(({ fault }) => fault))];
  const places = [...new Set(cases.map(({ where }) => where))];
  const cell = (where: string, fault: string): string =>
    DIRECTIONS.map((direction) =>
      mark(cases.filter((each) => each.where === where && each.fault === fault && each.direction === direction)),
    ).join(' ');
  return [
    `| where | ${faults.join(' | ')} |`,
    `|---${'|---'.repeat(faults.length)}|`,
    ...places.map((where) => `| ${where} | ${faults.map((fault) => `\`${cell(where, fault)}\``).join(' | ')} |`),
  ].join('\n');
}

function mark(cases: readonly Case[]): string {
  if (cases.length === 0) return '·';
  if (cases.some(({ wrong }) => wrong.length > 0)) return '!';
  return cases.every(({ ended }) => ended === 'Success') ? '=' : '>';
}
