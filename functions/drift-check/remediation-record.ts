/**
 * What remediation has done to a load balancer in the last day: `/proxyflip/drift/remediation/<load balancer>`. Written by
 * functions/drift-remediation, read by both. Pure.
 */
import * as v from 'valibot';
import { whoWrites } from './controllers.ts';
import { isMendedBySwitch, type Kind } from './kinds.ts';
import type { ObservedLoadBalancer } from './observed.ts';
import type { Draft } from './situation.ts';

const record = v.object({
  version: v.literal(1),
  runs: v.array(
    v.object({
      /** ISO 8601. */
      at: v.string(),
      executionId: v.string(),
      /** What it was to mend. */
      kinds: v.array(v.string()),
    }),
  ),
});
const parameter = v.pipe(v.string(), v.parseJson(), record);
export type RemediationRecord = v.InferOutput<typeof record>;

export const recordName = (loadBalancerName: string): string => `/proxyflip/drift/remediation/${loadBalancerName}`;

const DAY_MS = 24 * 60 * 60 * 1000;

/** @returns the runs of the last day; none where the parameter is not there or cannot be read */
export function parseRecord(text: string | undefined, now: number): RemediationRecord {
  const result = v.safeParse(parameter, text);
  const runs = result.success ? result.output.runs : [];
  return { version: 1, runs: runs.filter(({ at }) => now - Date.parse(at) < DAY_MS) };
}

/** Mended so often within a day, and there again: somebody undoes it. */
const MENDED_AT_MOST = 2;

/** The runs that mended one of these, oldest first. */
export const runsFor = ({ runs }: RemediationRecord, kinds: readonly Kind[]): RemediationRecord['runs'] =>
  runs.filter((run) => kinds.some((kind) => run.kinds.includes(kind)));

/** Those of `kinds` that are to be left alone. */
export const foughtOver = (record: RemediationRecord, kinds: readonly Kind[]): Kind[] =>
  kinds.filter((kind) => runsFor(record, [kind]).length >= MENDED_AT_MOST);

/** The check's side of the brake: what is left alone is a finding of its own. */
export function fights(
  record: RemediationRecord,
  drafts: readonly Draft[],
  loadBalancer: ObservedLoadBalancer,
): Draft[] {
  const kinds = foughtOver(record, [...new Set(drafts.map(({ kind }) => kind).filter(isMendedBySwitch))]);
  const runs = runsFor(record, kinds);
  const last = runs.at(-1);
  if (last === undefined) return [];
  const who = whoWrites(loadBalancer);
  return [
    {
      kind: 'fought-over',
      severity: 'NEXT_CHANGE_FAILS',
      where: 'load balancer',
      expected: 'what was mended stays so',
      observed: `${kinds.join(', ')} came back after ${runs.length} mends within a day, the last by execution ${last.executionId}; remediation leaves it alone`,
      began: Date.parse(last.at),
      cause: who === '' ? 'somebody undoes it: CloudTrail has the calls' : `${who} undoes it`,
      mend: '',
    },
  ];
}
