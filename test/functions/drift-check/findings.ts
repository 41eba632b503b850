/** What the comparisons and memory make of it; each test gives what it is about. */
import type { Checked } from '../../../functions/drift-check/check.ts';
import type { Finding, LoadBalancerResult } from '../../../functions/drift-check/finding.ts';
import type { Draft } from '../../../functions/drift-check/situation.ts';

export const draft = (given: Partial<Draft> = {}): Draft => ({
  kind: 'policy-missing',
  severity: 'EVERY_REQUEST_FAILS',
  where: 'port 81',
  expected: 'a policy',
  observed: 'no policy',
  began: 0,
  cause: '',
  mend: '',
  ...given,
});

export function finding(given: Partial<Finding> = {}): Finding {
  const { began: _began, ...rest } = draft();
  return { ...rest, since: '2026-11-21T12:00:00.000Z', text: 'A policy is missing.', ...given };
}

export const result = (given: Partial<LoadBalancerResult> = {}): LoadBalancerResult => ({
  name: 'web',
  status: 'IN_SYNC',
  findings: [],
  suppressed: 0,
  why: '',
  ...given,
});

export const checked = (given: Partial<LoadBalancerResult> = {}, unreachable = 0): Checked => ({
  result: result(given),
  change: undefined,
  unreachable,
});
