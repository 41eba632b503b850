/**
 * `npm run rehearse -- faults`: the matrix of faults. Its parts run one after the other, each by itself with `--only`; the table is
 * printed, and written by `--markdown`.
 */
import { type Case, describeCase } from '../../faults/case.ts';
import { type FaultRun, faultsPage } from '../../faults/page.ts';
import { RehearsalError } from '../../host/rehearsal-error.ts';
import type { ScenarioOptions } from '../options.ts';
import { writeReports } from '../write-reports.ts';
import { callsOfThePlayedFleet, coreOfThePlayedFleet } from './played-fleet.ts';

export interface FaultPart {
  /** As `--only` has it. */
  readonly name: string;
  /** Left out where nothing is named: another part has it. */
  readonly isPartOfAnother?: boolean;
  /** @throws Error  it could not be run at all; a case that falls short is in the cases */
  run(options: ScenarioOptions, interrupted: AbortSignal, tell: (each: Case) => void): Promise<PartResult>;
}

export interface PartResult {
  readonly shortfalls: readonly string[];
  /** What clients saw in all of it, in words. Absent: it had none. */
  readonly traffic?: string;
}

const PARTS: readonly FaultPart[] = [callsOfThePlayedFleet, coreOfThePlayedFleet];

/** @returns exit status: 0 only where no case, and nothing else, fell short */
export async function faults(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const startedMs = Date.now();
  const cases: Case[] = [];
  const shortfalls: string[] = [];
  const traffic: string[] = [];
  for (const part of chosen(options.only)) {
    console.log(`${part.name} …`);
    const result = await part.run(options, interrupted, (each) => {
      cases.push(each);
      if (each.wrong.length > 0) console.log(`FALLS SHORT  ${describeCase(each)}`);
    });
    shortfalls.push(...result.shortfalls.map((each) => `${part.name}: ${each}`));
    if (result.traffic !== undefined) traffic.push(result.traffic);
  }
  const run: FaultRun = {
    startedAt: new Date(startedMs).toISOString(),
    durationMs: Date.now() - startedMs,
    command: commandOf(options),
    cases,
    ...(traffic.length === 0 ? {} : { traffic: traffic.join(' ') }),
  };
  const page = faultsPage(run);
  console.log(page);
  await writeReports(options, { json: () => ({ ...run, shortfalls }), markdown: () => page });
  for (const each of shortfalls) console.log(`FALLS SHORT  ${each}`);
  const short = cases.filter(({ wrong }) => wrong.length > 0).length;
  console.log(`${cases.length} cases, ${short} of them fell short`);
  return short === 0 && shortfalls.length === 0 && cases.length > 0 ? 0 : 1;
}

function chosen(only: readonly string[] | undefined): readonly FaultPart[] {
  if (only === undefined) return PARTS.filter(({ isPartOfAnother }) => isPartOfAnother !== true);
  const unknown = only.filter((name) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    const names = PARTS.map(({ name }) => name).join(', ');
    throw new RehearsalError('ERR_USAGE', `--only names ${unknown.join(', ')}`, `the parts are ${names}`);
  }
  return PARTS.filter(({ name }) => only.includes(name));
}

function commandOf({ only, markdown }: ScenarioOptions): string {
  const parts = only === undefined ? '' : ` --only ${only.join(',')}`;
  return `npm run rehearse -- faults${parts}${markdown === undefined ? '' : ` --markdown ${markdown}`}`;
}
