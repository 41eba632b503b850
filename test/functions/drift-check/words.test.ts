/** A check's result as people read it, word for word. */
import { describe, expect, test } from '@jest/globals';
import type { Finding, LoadBalancerResult, Severity, Status } from '../../../functions/drift-check/finding.ts';
import {
  describeFinding,
  inOneLine,
  reportOf,
  summarise,
  summariseOne,
  worstStatus,
} from '../../../functions/drift-check/words.ts';

const finding = (given: Partial<Finding> = {}): Finding => ({
  kind: 'policy-missing',
  severity: 'EVERY_REQUEST_FAILS',
  where: 'port 81',
  expected: 'a policy',
  observed: 'no policy',
  since: '2026-11-21T12:00:00.000Z',
  cause: '',
  mend: 'aws "mend"',
  text: 'Every request fails.',
  ...given,
});
const result = (name: string, status: Status = 'IN_SYNC', given: Partial<LoadBalancerResult> = {}) => ({
  name,
  status,
  findings: [],
  suppressed: 0,
  why: '',
  ...given,
});
const untidy = finding({ severity: 'UNTIDY', text: 'Untidy.', mend: '' });

describe('describeFinding', () => {
  test.each<[Severity, string]>([
    ['EVERY_REQUEST_FAILS', 'Every request fails there now'],
    ['SOME_REQUESTS_FAIL', 'Some requests fail'],
    ['CLIENT_ADDRESSES_WRONG', 'Client addresses are wrong or forgeable'],
    ['NEXT_CHANGE_FAILS', 'The next change would fail'],
    ['UNTIDY', 'Untidy'],
  ])('says what %s means', (severity, meaning) => {
    expect(describeFinding(finding({ severity }))).toBe(
      `${meaning}: policy-missing at port 81 since 2026-11-21T12:00:00.000Z at the latest. Expected: a policy. Observed: no policy.`,
    );
  });

  test('says who or what did it, where that shows', () => {
    expect(describeFinding(finding({ cause: 'Terraform (policy x)' }))).toBe(
      'Every request fails there now: policy-missing at port 81 since 2026-11-21T12:00:00.000Z at the latest. Expected: a policy. Observed: no policy. Cause: Terraform (policy x).',
    );
  });
});

describe('worstStatus', () => {
  test.each<[readonly Status[], Status]>([
    [[], 'IN_SYNC'],
    [['IN_SYNC', 'IN_SYNC'], 'IN_SYNC'],
    [['IN_SYNC', 'NOT_CHECKED'], 'NOT_CHECKED'],
    [['NOT_CHECKED', 'UNKNOWN', 'IN_SYNC'], 'UNKNOWN'],
    [['UNKNOWN', 'DELETED'], 'DELETED'],
    [['DELETED', 'MODIFIED', 'IN_SYNC'], 'MODIFIED'],
  ])('of %j is %s', (statuses, worst) => {
    expect(worstStatus(statuses.map((status) => ({ status })))).toBe(worst);
  });
});

describe('summarise', () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => result(`lb-${index}`, 'DELETED'));

  test.each<[string, readonly LoadBalancerResult[], string]>([
    ['nothing in scope', [], 'No load balancer is in scope: none has been switched by proxyflip here.'],
    ['all in sync, which need no names', [result('a'), result('b')], '2 IN_SYNC.'],
    [
      'each status with its load balancers, and the worst finding of all',
      [
        result('a'),
        result('b', 'MODIFIED', { findings: [untidy] }),
        result('c', 'NOT_CHECKED'),
        result('d', 'MODIFIED', { findings: [finding(), untidy] }),
      ],
      '2 MODIFIED (b, d), 1 NOT_CHECKED (c), 1 IN_SYNC. Worst: Every request fails.',
    ],
    [
      'a worst finding that is mild',
      [result('a', 'MODIFIED', { findings: [untidy] })],
      '1 MODIFIED (a). Worst: Untidy.',
    ],
    ['as many as are named', many(5), '5 DELETED (lb-0, lb-1, lb-2, lb-3, lb-4).'],
    ['more than are named', many(7), '7 DELETED (lb-0, lb-1, lb-2, lb-3, lb-4 and 2 more).'],
  ])('%s', (_desc, results, words) => {
    expect(summarise(results)).toBe(words);
  });
});

describe('summariseOne', () => {
  test.each<[string, LoadBalancerResult, string]>([
    ['in sync', result('web'), 'web is IN_SYNC.'],
    [
      'why it was not checked',
      result('web', 'NOT_CHECKED', { why: 'it was deleted' }),
      'web is NOT_CHECKED. it was deleted.',
    ],
    [
      'one finding, and where its command is',
      result('web', 'MODIFIED', { findings: [finding()] }),
      'web is MODIFIED. Every request fails. The drift runbook’s report has the command that mends it.',
    ],
    [
      'the worst of several, which has no command',
      result('web', 'MODIFIED', { findings: [untidy, finding(), finding()], suppressed: 2 }),
      'web is MODIFIED. Untidy. And 2 more. 2 suppressed.',
    ],
  ])('%s', (_desc, one, words) => {
    expect(summariseOne(one)).toBe(words);
  });
});

test('a line for a rule has no quotation mark, no backslash, no line break and no gap', () => {
  expect(inOneLine('say "no"\\\n\n  and\tgo')).toBe("say 'no'' and go");
});

describe('reportOf', () => {
  test.each<[string, readonly LoadBalancerResult[], string]>([
    ['one that was asked for, in sync', [result('web')], 'web: IN_SYNC'],
    ['those in sync are left out among others', [result('a'), result('b')], ''],
    [
      'a suppressed finding is not forgotten',
      [result('a', 'IN_SYNC', { suppressed: 1 }), result('b')],
      'a: IN_SYNC, 1 suppressed',
    ],
    [
      'a paragraph each, with the commands',
      [
        result('a', 'MODIFIED', { findings: [finding(), untidy], suppressed: 2 }),
        result('b'),
        result('c', 'NOT_CHECKED', { why: 'it was deleted' }),
      ],
      'a: MODIFIED, 2 suppressed\n- Every request fails.\n  aws "mend"\n- Untidy.\n\nc: NOT_CHECKED, it was deleted',
    ],
  ])('%s', (_desc, results, words) => {
    expect(reportOf(results)).toBe(words);
  });

  test('is cut where it is longer than a step may put out', () => {
    const head = 'web: MODIFIED\n- ';
    const long = (length: number) =>
      reportOf([result('web', 'MODIFIED', { findings: [{ ...untidy, text: 'x'.repeat(length - head.length) }] })]);

    expect(long(30_000)).toBe(`${head}${'x'.repeat(30_000 - head.length)}`);
    expect(long(30_001)).toBe(
      `${head}${'x'.repeat(30_000 - head.length)}\n… and more: the function’s log has every finding`,
    );
  });
});
