/** Sums over a run, which may take several invocations. Pure. */
import * as v from 'valibot';
import type { Checked } from './check.ts';

export const totalsSchema = v.strictObject({
  checked: v.number(),
  notChecked: v.number(),
  unreachable: v.number(),
  bySeverity: v.record(v.string(), v.number()),
  /** When the oldest finding began. Milliseconds since the epoch; 0 = there is none. */
  oldest: v.number(),
});
export type Totals = v.InferOutput<typeof totalsSchema>;

export const NOTHING: Totals = { checked: 0, notChecked: 0, unreachable: 0, bySeverity: {}, oldest: 0 };

export function add(totals: Totals, checked: readonly Checked[]): Totals {
  const results = checked.map(({ result }) => result);
  const findings = results.flatMap((result) => result.findings);
  const bySeverity = { ...totals.bySeverity };
  for (const { severity } of findings) bySeverity[severity] = (bySeverity[severity] ?? 0) + 1;
  const isChecked = ({ status, why }: (typeof results)[number]) => status !== 'NOT_CHECKED' && why === '';
  const begins = [totals.oldest, ...findings.map(({ since }) => Date.parse(since))].filter((time) => time > 0);
  return {
    checked: totals.checked + results.filter(isChecked).length,
    notChecked: totals.notChecked + results.filter((result) => !isChecked(result)).length,
    unreachable: totals.unreachable + checked.reduce((sum, { unreachable }) => sum + unreachable, 0),
    bySeverity,
    oldest: begins.length === 0 ? 0 : Math.min(...begins),
  };
}
