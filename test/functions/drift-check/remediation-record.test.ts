/** What was mended, and what somebody undoes. */
import { describe, expect, test } from '@jest/globals';
import {
  fights,
  foughtOver,
  parseRecord,
  recordName,
  runsFor,
} from '../../../functions/drift-check/remediation-record.ts';
import { draft } from './findings.ts';
import { loadBalancer, NOW } from './situations.ts';

const HOUR = 3_600_000;
const run = (hoursAgo: number, ...kinds: string[]) => ({
  at: new Date(NOW - hoursAgo * HOUR).toISOString(),
  executionId: `run-${hoursAgo}`,
  kinds,
});
const record = (...runs: ReturnType<typeof run>[]) => ({ version: 1 as const, runs });

test('it is kept by load balancer', () => {
  expect(recordName('web')).toBe('/proxyflip/drift/remediation/web');
});

test.each<[string, string | undefined, object[]]>([
  ['not there', undefined, []],
  ['no JSON', 'mended', []],
  ['of another version', JSON.stringify({ version: 2, runs: [run(1, 'nginx-down')] }), []],
  ['of the last day', JSON.stringify(record(run(23, 'nginx-down'), run(1))), [run(23, 'nginx-down'), run(1)]],
  ['older than a day in part', JSON.stringify(record(run(25, 'nginx-down'), run(24), run(1))), [run(1)]],
])('a record that is %s', (_desc, text, runs) => {
  expect(parseRecord(text, NOW)).toEqual({ version: 1, runs });
});

test('which runs mended one of some kinds, and which of them are fought over', () => {
  const mended = record(run(5, 'nginx-down'), run(4, 'nginx-down', 'policy-missing'), run(3, 'listener-added'));

  expect(runsFor(mended, ['policy-missing', 'listener-added'])).toEqual([
    run(4, 'nginx-down', 'policy-missing'),
    run(3, 'listener-added'),
  ]);
  expect(foughtOver(mended, ['nginx-down', 'policy-missing', 'listener-added'])).toEqual(['nginx-down']);
});

describe('a fight', () => {
  const twice = record(run(4, 'policy-missing', 'policy-foreign'), run(2, 'policy-missing', 'policy-foreign'));
  const both = record(run(5, 'nginx-down'), run(4, 'policy-missing', 'nginx-down'), run(2, 'policy-missing'));
  const fight = {
    kind: 'fought-over',
    severity: 'NEXT_CHANGE_FAILS',
    where: 'load balancer',
    expected: 'what was mended stays so',
    began: NOW - 2 * HOUR,
    mend: '',
  };

  test('is told with the last mend, and CloudTrail knows who it is with', () => {
    expect(fights(twice, [draft(), draft({ where: 'port 80' })], loadBalancer())).toEqual([
      {
        ...fight,
        observed:
          'policy-missing came back after 2 mends within a day, the last by execution run-2; remediation leaves it alone',
        cause: 'somebody undoes it: CloudTrail has the calls',
      },
    ]);
  });

  test('is told once for all kinds, and with whom, where that shows', () => {
    const tagged = loadBalancer(undefined, { tags: new Map([['kubernetes.io/cluster/web', 'owned']]) });

    expect(fights(both, [draft({ kind: 'nginx-down', where: 'i-1' }), draft()], tagged)).toEqual([
      {
        ...fight,
        observed:
          'nginx-down, policy-missing came back after 3 mends within a day, the last by execution run-2; remediation leaves it alone',
        cause: 'perhaps Kubernetes (tag kubernetes.io/cluster/web=owned) undoes it',
      },
    ]);
  });

  test.each([
    ['once mended', record(run(4, 'policy-missing')), draft()],
    ['mended and not there again', twice, draft({ kind: 'nginx-down' })],
    ['never the runbook’s to mend', twice, draft({ kind: 'policy-foreign' })],
  ])('is not over what was %s', (_desc, mended, found) => {
    expect(fights(mended, [found], loadBalancer())).toEqual([]);
  });
});
