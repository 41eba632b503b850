/** Sums over the stretches of a run. */
import { expect, test } from '@jest/globals';
import { add, NOTHING } from '../../../functions/drift-check/totals.ts';
import { checked, finding } from './findings.ts';

const NOON = Date.parse('2026-11-21T12:00:00Z');
const of = (severity: 'EVERY_REQUEST_FAILS' | 'UNTIDY', minutesAgo: number) =>
  finding({ severity, since: new Date(NOON - minutesAgo * 60_000).toISOString() });

test('nothing adds nothing', () => {
  expect(add(NOTHING, [])).toEqual({ checked: 0, notChecked: 0, unreachable: 0, bySeverity: {}, oldest: 0 });
});

test('what was looked at is told from what was not, or not to its end', () => {
  const stretch = [
    checked(),
    checked({ status: 'MODIFIED', findings: [of('EVERY_REQUEST_FAILS', 5), of('UNTIDY', 20)] }, 2),
    checked({ status: 'UNKNOWN' }, 1),
    checked({ status: 'UNKNOWN', why: 'its state cannot be read' }),
    checked({ status: 'NOT_CHECKED', why: 'a switch is at work' }),
    checked({ status: 'NOT_CHECKED' }),
  ];

  expect(add(NOTHING, stretch)).toEqual({
    checked: 3,
    notChecked: 3,
    unreachable: 3,
    bySeverity: { EVERY_REQUEST_FAILS: 1, UNTIDY: 1 },
    oldest: NOON - 20 * 60_000,
  });
});

test('stretches add up, and the oldest finding of all is kept', () => {
  const first = add(NOTHING, [checked({ status: 'MODIFIED', findings: [of('UNTIDY', 20)] }, 1)]);
  const second = add(first, [
    checked({ status: 'MODIFIED', findings: [of('UNTIDY', 5), of('UNTIDY', 6)] }, 2),
    checked({ status: 'NOT_CHECKED', why: 'it was deleted' }),
  ]);
  const third = add(second, [checked()]);

  expect(third).toEqual({
    checked: 3,
    notChecked: 1,
    unreachable: 3,
    bySeverity: { UNTIDY: 3 },
    oldest: NOON - 20 * 60_000,
  });
  expect(first.bySeverity).toEqual({ UNTIDY: 1 });
});
