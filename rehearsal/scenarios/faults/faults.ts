/**
 * `npm run rehearse -- faults`: the matrix of faults. Its parts run one after the other, each by itself with `--only`; the table is
 * printed, and written by `--markdown`.
 */
import { readFile } from 'node:fs/promises';
import { type Case, describeCase } from '../../faults/case.ts';
import { type FaultRun, faultsPage } from '../../faults/page.ts';
import { RehearsalError } from '../../host/rehearsal-error.ts';
import type { ScenarioOptions } from '../options.ts';
import { writeReports } from '../write-reports.ts';
import { faultsOfTheLoadBalancer, faultsOnAnInstance } from './on-machines.ts';
import { callsOfTheCustomResource, callsOfThePlayedFleet, coreOfThePlayedFleet } from './played-fleet.ts';

export interface FaultPart {
  /** As `--only` has it. */
  readonly name: string;
  /** Left out where nothing is named: another part has it. */
  readonly isPartOfAnother?: boolean;
  /** @throws Error  it could not be run at all; a case that falls short is in the cases */
  run(
    options: ScenarioOptions,
    interrupted: AbortSignal,
    tell: (each: Case) => void,
    isWanted: (faultName: string) => boolean,
  ): Promise<PartResult>;
}

export interface PartResult {
  readonly shortfalls: readonly string[];
  /** What clients saw in all of it, in words. Absent: it had none. */
  readonly traffic?: string;
}

const PARTS: readonly FaultPart[] = [
  callsOfThePlayedFleet,
  faultsOnAnInstance,
  faultsOfTheLoadBalancer,
  callsOfTheCustomResource,
  coreOfThePlayedFleet,
];

/** @returns exit status: 0 only where no case, and nothing else, fell short */
export async function faults(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const startedMs = Date.now();
  const cases: Case[] = [];
  const shortfalls: string[] = [];
  const traffic: string[] = [];
  // Asked for before anything is run: a mistake is seen at once.
  const earlier = await earlierRuns(options.with);
  for (const { part, isWanted } of chosen(options.only)) {
    console.log(`${part.name} …`);
    const tell = (each: Case): void => {
      cases.push(each);
      if (each.wrong.length > 0) console.log(`FALLS SHORT  ${describeCase(each)}`);
    };
    try {
      const result = await part.run(options, interrupted, tell, isWanted);
      shortfalls.push(...result.shortfalls.map((each) => `${part.name}: ${each}`));
      if (result.traffic !== undefined) traffic.push(result.traffic);
    } catch (error) {
      // What has been seen until then has been seen.
      if (!interrupted.aborted) throw error;
      break;
    }
  }
  const run: FaultRun = {
    startedAt: new Date(startedMs).toISOString(),
    durationMs: Date.now() - startedMs,
    command: commandOf(options),
    cases,
    isInterrupted: interrupted.aborted,
    ...(traffic.length === 0 ? {} : { traffic: traffic.join(' ') }),
  };
  const page = faultsPage([...earlier, run]);
  console.log(page);
  await writeReports(options, { json: () => ({ ...run, shortfalls }), markdown: () => page });
  for (const each of shortfalls) console.log(`FALLS SHORT  ${each}`);
  const short = cases.filter(({ wrong }) => wrong.length > 0).length;
  console.log(`${cases.length} cases, ${short} of them fell short`);
  interrupted.throwIfAborted();
  return short === 0 && shortfalls.length === 0 && cases.length > 0 ? 0 : 1;
}

/** As --json has written them. @throws RehearsalError  a file that is none of those */
function earlierRuns(files: readonly string[] = []): Promise<FaultRun[]> {
  return Promise.all(
    files.map(async (file) => {
      try {
        const run = JSON.parse(await readFile(file, 'utf8')) as FaultRun;
        if (Array.isArray(run.cases)) return run;
      } catch {
        // Falls through: whatever it is, it is no run.
      }
      throw new RehearsalError('ERR_USAGE', `--with names ${file}`, 'it takes files that faults has written by --json');
    }),
  );
}

interface Chosen {
  readonly part: FaultPart;
  isWanted(faultName: string): boolean;
}

/** `instances` is all of a part, `instances/nginx-killed` one fault of it. */
function chosen(only: readonly string[] | undefined): readonly Chosen[] {
  if (only === undefined) {
    return PARTS.filter(({ isPartOfAnother }) => isPartOfAnother !== true).map((part) => ({
      part,
      isWanted: () => true,
    }));
  }
  const asked = only.map((text) => text.split('/') as [string, string?]);
  const unknown = asked.filter(([name]) => !PARTS.some((part) => part.name === name));
  if (unknown.length > 0) {
    const names = PARTS.map(({ name }) => name).join(', ');
    throw new RehearsalError('ERR_USAGE', `--only names ${unknown.join(', ')}`, `the parts are ${names}`);
  }
  return PARTS.filter(({ name }) => asked.some(([each]) => each === name)).map((part) => ({
    part,
    isWanted: (faultName) =>
      asked.some(([name, fault]) => name === part.name && (fault === undefined || fault === asWord(faultName))),
  }));
}

const asWord = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');

/** As it can be given again, without the places that it writes to. */
function commandOf({ only }: ScenarioOptions): string {
  return `npm run rehearse -- faults${only === undefined ? '' : ` --only ${only.join(',')}`}`;
}
