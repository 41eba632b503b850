/** What a check leaves in its log: metrics, and a line for whatever somebody may look for. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { type FakeAws, FakeError } from '../fake-aws.ts';
import { Driver } from './driver.ts';
import { state } from './situations.ts';

let driver: Driver;
let aws: FakeAws;

const addSwitched = (...names: string[]) => {
  for (const name of names) driver.addSwitched(name);
};

beforeEach(() => {
  driver = new Driver();
  ({ aws } = driver);
});

describe('metrics', () => {
  const names = Array.from({ length: 51 }, (_, index) => `lb-${String(index).padStart(2, '0')}`);
  const printedOf = async () => {
    const before = driver.printed.length;
    await driver.check();
    return driver.printed.slice(before).map((line) => (JSON.parse(line) as { LoadBalancer?: string }).LoadBalancer);
  };

  test('of each of 50 load balancers, and then of the run', async () => {
    addSwitched(...names.slice(1));

    expect(await printedOf()).toEqual([...names.slice(1), undefined]);
  });

  test('of those among more that have something to say: a finding, as long as it lasts, and that it is over', async () => {
    addSwitched(...names);
    const [lb = ''] = names;
    const loadBalancer = aws.loadBalancers.get(lb);
    if (loadBalancer === undefined) throw new Error('it is there');

    loadBalancer.backend = {};
    expect(await printedOf()).toEqual([lb, undefined]);
    expect(await printedOf()).toEqual([lb, undefined]);
    loadBalancer.backend = { 80: [POLICY_NAME], 81: [POLICY_NAME] };
    expect(await printedOf()).toEqual([lb, undefined]);
    expect(await printedOf()).toEqual([undefined]);
  });
});

describe('the log', () => {
  const CALLS = { DescribeTags: 1 };

  test('has a line for the run, its end, each finding, and what was not checked or not told', async () => {
    addSwitched('a', 'b', 'c');
    aws.executions.set('run-1', { status: 'InProgress' });
    driver.remember('/proxyflip/a', state({ phase: 'policies' }));
    for (const name of ['b', 'c']) {
      const loadBalancer = aws.loadBalancers.get(name);
      if (loadBalancer !== undefined) loadBalancer.backend = { 80: [POLICY_NAME] };
    }
    driver.remember('/proxyflip/drift/suppressions/c', [
      { kind: 'policy-missing', where: '*', reason: 'moved tomorrow', until: '2026-11-22' },
    ]);
    const answer = await driver.check();

    expect(driver.logged).toEqual([
      { message: 'check', runId: expect.any(String), hop: 0, inScope: 3, left: 3 },
      {
        message: 'not checked',
        loadBalancer: 'a',
        status: 'NOT_CHECKED',
        why: 'execution run-1 is working on it (enable)',
      },
      { message: 'finding', loadBalancer: 'b', ...answer.loadBalancers[1]?.findings[0] },
      { message: 'suppressed', loadBalancer: 'c', suppressed: 1 },
      { message: 'checked', status: 'MODIFIED', summary: answer.summary, calls: CALLS },
    ]);
  });

  test('says where the API gave no more', async () => {
    addSwitched('a');
    aws.fault = (action) => {
      if (action === 'DescribeTags') throw new FakeError('Throttling');
    };
    const answer = await driver.check();

    expect(driver.logged).toEqual([
      { message: 'check', runId: expect.any(String), hop: 0, inScope: 1, left: 1 },
      { message: 'throttled', after: '', error: 'fake Throttling' },
      { message: 'checked', status: 'NOT_CHECKED', summary: answer.summary, calls: CALLS },
    ]);
  });
});
