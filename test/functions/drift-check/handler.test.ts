import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CheckAnswer } from '../../../functions/drift-check/finding.ts';
import { memoryName } from '../../../functions/drift-check/memory.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { type FakeAws, FakeError } from '../fake-aws.ts';
import { Driver, tell } from './driver.ts';
import { receiver, state } from './situations.ts';

const READS = /^(Get|List|Describe)/;

let driver: Driver;
let aws: FakeAws;
let printed: readonly string[];

const addSwitched = (...names: string[]) => {
  for (const name of names) driver.addSwitched(name);
};
const remember: Driver['remember'] = (name, value) => driver.remember(name, value);
const check: Driver['check'] = (event, remainingMs) => driver.check(event, remainingMs);
const count: Driver['count'] = (action) => driver.count(action);

beforeEach(() => {
  driver = new Driver();
  ({ aws, printed } = driver);
});

describe('a healthy account', () => {
  beforeEach(() => addSwitched('a', 'b', 'c'));

  test('is in sync, and nobody is told', async () => {
    const answer = await check();

    expect(answer).toMatchObject({ status: 'IN_SYNC', summary: '3 IN_SYNC.' });
    expect(tell(answer).map(([, status]) => status)).toEqual(['IN_SYNC', 'IN_SYNC', 'IN_SYNC']);
    expect(aws.events).toEqual([]);
  });

  test('costs one write a run, its time, and none at a load balancer', async () => {
    await check();

    expect(aws.calls.filter(({ action }) => !READS.test(action)).map(({ action }) => action)).toEqual([
      'SendCommand',
      'PutParameter',
    ]);
    expect(aws.parameter('/proxyflip/drift/last-run')).toEqual({ version: 1, at: '2026-11-21T12:00:00.000Z' });
  });

  test('is asked by one command for all of its instances', async () => {
    await check();

    const [sent] = aws.calls.filter(({ action }) => action === 'SendCommand');
    expect(sent?.input).toMatchObject({
      DocumentName: 'proxyflip-inspect',
      InstanceIds: ['i-a', 'i-b', 'i-c'],
      // A first run looks a quarter of an hour back.
      Parameters: { Since: [String(Date.parse('2026-11-21T11:45:00Z') / 1000)] },
    });
  });

  test('reads the logs from where the last complete run began', async () => {
    await check();
    aws.now += 600_000;
    await check();

    const sent = aws.calls.filter(({ action }) => action === 'SendCommand').at(-1);
    expect(sent?.input.Parameters).toEqual({ Since: [String(Date.parse('2026-11-21T12:00:00Z') / 1000)] });
  });

  test('gives the metrics of a run and of each load balancer, as lines of the log', async () => {
    await check();

    const metrics = printed.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(metrics).toHaveLength(4);
    expect(metrics[0]).toMatchObject({ Stack: 'proxyflip', LoadBalancer: 'a', Findings: 0, Severity: 0 });
    expect(metrics[3]).toMatchObject({
      Stack: 'proxyflip',
      LoadBalancersInScope: 3,
      LoadBalancersChecked: 3,
      LoadBalancersNotChecked: 0,
      EveryRequestFails: 0,
      OldestFindingSeconds: 0,
      _aws: { CloudWatchMetrics: [{ Namespace: 'proxyflip', Dimensions: [['Stack']] }] },
    });
  });

  test('has nobody in scope that was not switched', async () => {
    aws.addLoadBalancer('stranger');

    expect(tell(await check()).map(([name]) => name)).toEqual(['a', 'b', 'c']);
  });
});

test('load balancers are checked by name, and those that were forgotten too', async () => {
  addSwitched('c', 'a', 'd');
  remember(memoryName('b'), { version: 1, status: 'MODIFIED', at: '', digest: 'x', since: {} });

  expect(tell(await check())).toEqual([
    ['a', 'IN_SYNC', []],
    ['b', 'IN_SYNC', []],
    ['c', 'IN_SYNC', []],
    ['d', 'IN_SYNC', []],
  ]);
});

describe('drift', () => {
  beforeEach(() => addSwitched('web'));
  const web = () => {
    const found = aws.loadBalancers.get('web');
    if (found === undefined) throw new Error('it is there');
    return found;
  };

  test('is told once, when it comes and when it goes', async () => {
    web().backend = { 80: [POLICY_NAME] };
    await check();
    await check();
    web().backend = { 80: [POLICY_NAME], 81: [POLICY_NAME] };
    await check();
    await check();

    expect(aws.events.map(({ detailType, detail }) => [detailType, detail.before, detail.status])).toEqual([
      ['proxyflip drift', 'IN_SYNC', 'MODIFIED'],
      ['proxyflip drift', 'MODIFIED', 'IN_SYNC'],
    ]);
    expect(aws.events[0]?.detail).toMatchObject({
      loadBalancer: 'web',
      omitted: 0,
      findings: [{ kind: 'policy-missing', severity: 'EVERY_REQUEST_FAILS', where: 'port 81' }],
    });
  });

  test('is told in a line that a rule can put between quotation marks', async () => {
    web().backend = { 80: [POLICY_NAME], 81: ['say "no"\\'] };
    web().tags = { 'kubernetes.io/cluster/a': 'say "yes"\n' };
    await check();

    const summary = String(aws.events[0]?.detail.summary);
    expect(summary).toContain('web is MODIFIED. Every request fails there now: policy-missing at port 81');
    expect(JSON.parse(`"proxyflip drift: ${summary}"`)).toBe(`proxyflip drift: ${summary}`);
  });

  test('is told again when there is more of it', async () => {
    web().backend = { 80: [POLICY_NAME] };
    await check();
    web().backend = {};
    await check();

    expect(aws.events.map(({ detail }) => (detail.findings as unknown[]).length)).toEqual([1, 2]);
  });

  test('is not told again because the load balancer took the broken instance out of service', async () => {
    web().instanceIds.push(aws.addInstance('i-other'));
    aws.answersTo = (id) => (id === 'i-web' ? receiver({ health: 503 }) : receiver());
    const first = await check();
    aws.health.set('i-web', { State: 'OutOfService' });
    const second = await check();

    expect([first, second].map(({ loadBalancers: [each] }) => each?.findings[0]?.severity)).toEqual([
      'SOME_REQUESTS_FAIL',
      'NEXT_CHANGE_FAILS',
    ]);
    expect(aws.events).toHaveLength(1);
  });

  test('is over when the load balancer is switched off, or forgotten', async () => {
    aws.loadBalancers.delete('web');
    await check();
    aws.parameters.delete('/proxyflip/web');
    await check();
    await check();

    expect(aws.events.map(({ detail }) => detail.status)).toEqual(['DELETED', 'IN_SYNC']);
    await expect(check({ loadBalancerName: 'web' })).rejects.toThrow('ERR_LOAD_BALANCER_NOT_FOUND');
  });

  test('keeps since when it is so', async () => {
    web().backend = { 80: [POLICY_NAME] };
    const first = await check();
    aws.now += 3_600_000;
    const second = await check();

    const since = (answer: CheckAnswer) => answer.loadBalancers[0]?.findings[0]?.since;
    expect(since(first)).toMatch(/^2026-11-21T12:00/);
    expect(since(second)).toBe(since(first));
    // The hour, and the three seconds in which the second check waited for the instance.
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ EveryRequestFails: 1, OldestFindingSeconds: 3603 });
  });

  test('that could not be told is told by the next check', async () => {
    web().backend = {};
    aws.fault = (action) => {
      if (action === 'PutEvents') throw new FakeError('InternalException');
    };
    await expect(check()).rejects.toThrow('InternalException');
    aws.fault = undefined;
    await check();

    expect(aws.events).toHaveLength(1);
  });

  test('that somebody suppresses is counted and not told, until its day', async () => {
    web().backend = { 80: [POLICY_NAME] };
    remember('/proxyflip/drift/suppressions/web', [
      { kind: 'policy-missing', where: 'port 81', reason: 'moved tomorrow', until: '2026-11-22' },
    ]);
    const [before] = (await check()).loadBalancers;
    aws.now += 24 * 3_600_000;
    const [after] = (await check()).loadBalancers;

    expect(before).toMatchObject({ status: 'IN_SYNC', findings: [], suppressed: 1 });
    expect(after).toMatchObject({ status: 'MODIFIED', suppressed: 0 });
    expect(aws.events).toHaveLength(1);
  });

  test.each([
    ['no JSON', 'soon'],
    ['no end', '[{"kind":"policy-missing","where":"*","reason":"because"}]'],
    ['no reason', '[{"kind":"policy-missing","where":"*","reason":"","until":"2027-01-01"}]'],
    ['no day', '[{"kind":"policy-missing","where":"*","reason":"because","until":"whenever"}]'],
  ])('a suppression with %s keeps nothing back and is itself told', async (_desc, text) => {
    web().backend = { 80: [POLICY_NAME] };
    aws.parameters.set('/proxyflip/drift/suppressions/web', [text]);

    expect(tell(await check())[0]?.[2]).toEqual(['policy-missing', 'suppression-unreadable']);
  });

  test('of a load balancer that is gone is DELETED', async () => {
    aws.loadBalancers.delete('web');
    const answer = await check();

    expect(tell(answer)).toEqual([['web', 'DELETED', ['load-balancer-deleted']]]);
    expect(answer.loadBalancers[0]?.findings[0]?.mend).toContain('"Direction":["disable"]');
  });

  test('an instance that cannot be asked makes it UNKNOWN, never IN_SYNC', async () => {
    aws.addInstance('i-web', { pingStatus: 'ConnectionLost' });

    expect(tell(await check())).toEqual([['web', 'UNKNOWN', ['receiver-unreachable']]]);
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ InstancesUnreachable: 1 });
  });

  test('what an instance says that is no answer is no answer', async () => {
    aws.answersTo = () => ({ version: 2, mode: 'proxy' });

    expect(tell(await check())).toEqual([['web', 'UNKNOWN', ['receiver-unreachable']]]);
  });

  test('an instance that is being launched is not asked to be ready', async () => {
    aws.addInstance('i-web', { pingStatus: 'Inactive' });
    aws.health.set('i-web', {
      State: 'OutOfService',
      Description: 'Instance registration is still in progress.',
    });

    expect(tell(await check())).toEqual([['web', 'IN_SYNC', []]]);
  });

  test('what was dropped while something failed, and until every node has followed its mend, is no drift of its own', async () => {
    const dropping = (secondsAgo: number) => () =>
      receiver({
        log: { ...receiver().log, broken: 3, lastBroken: aws.now / 1000 - secondsAgo, brokenFrom: ['10.0.101.5'] },
      });
    web().backend = { 80: [POLICY_NAME] };
    aws.answersTo = dropping(1);
    expect(tell(await check())[0]?.[2]).toEqual(['policy-missing']);
    web().backend = { 80: [POLICY_NAME], 81: [POLICY_NAME] };
    expect(tell(await check())[0]?.[2]).toEqual([]);
    aws.now += 30_000;
    expect(tell(await check())[0]?.[2]).toEqual([]);
    aws.now += 300_000;
    expect(tell(await check())[0]?.[2]).toEqual(['broken-headers']);
  });

  test('that only the logs show lasts as long as it goes on, and is told once', async () => {
    const statuses = [];
    let last = 0;
    aws.answersTo = () =>
      receiver({ log: { ...receiver().log, broken: 3, lastBroken: last, brokenFrom: ['10.0.9.9'] } });
    for (const goesOn of [true, true, true, false]) {
      aws.now += 15 * 60_000;
      if (goesOn) last = aws.now / 1000 - 60;
      statuses.push((await check()).status);
    }

    expect(statuses).toEqual(['MODIFIED', 'MODIFIED', 'MODIFIED', 'IN_SYNC']);
    expect(aws.events.map(({ detail }) => detail.status)).toEqual(['MODIFIED', 'IN_SYNC']);
  });

  test('that remediation mended twice within a day, and is there again, is fought over', async () => {
    web().backend = { 80: [POLICY_NAME], 81: ['k8s-proxyprotocol-enabled-off'] };
    remember('/proxyflip/drift/remediation/web', {
      version: 1,
      runs: [
        { at: '2026-11-21T08:00:00Z', executionId: 'run-8', kinds: ['policy-missing'] },
        { at: '2026-11-21T09:00:00Z', executionId: 'run-9', kinds: ['policy-missing'] },
        { at: '2026-11-21T10:00:00Z', executionId: 'run-10', kinds: ['nginx-down'] },
      ],
    });

    const answer = await check();
    expect(tell(answer)[0]?.[2]).toEqual(['policy-missing', 'fought-over']);
    expect(answer.loadBalancers[0]?.findings[1]).toMatchObject({
      observed:
        'policy-missing came back after 2 mends within a day, the last by execution run-9; remediation leaves it alone',
      since: '2026-11-21T09:00:00.000Z',
    });
    aws.now += 21 * 3_600_000;
    expect(tell(await check())[0]?.[2]).toEqual(['policy-missing']);
  });
});

describe('one load balancer does not keep the others from being checked', () => {
  beforeEach(() => addSwitched('a', 'b', 'c'));
  const statuses = (answer: CheckAnswer) => answer.loadBalancers.map(({ status }) => status);

  test('that is deleted while the check reads', async () => {
    aws.fault = (action) => {
      if (['DescribeLoadBalancerPolicies', 'DescribeTags'].includes(action)) aws.loadBalancers.delete('b');
    };
    const answer = await check();

    expect(statuses(answer)).toEqual(['IN_SYNC', 'NOT_CHECKED', 'IN_SYNC']);
    expect(answer.loadBalancers[1]?.why).toBe('it was deleted during the check');
  });

  test('whose state makes no sense', async () => {
    remember('/proxyflip/b', state({ parameters: { ExcludePorts: 'ssh' } }));
    const answer = await check();

    expect(statuses(answer)).toEqual(['IN_SYNC', 'UNKNOWN', 'IN_SYNC']);
    expect(answer.loadBalancers[1]?.why).toContain('ERR_INVALID_PORT_LIST');
  });
});

describe('a switch', () => {
  beforeEach(() => addSwitched('web'));

  test('that is at work is seen, and its load balancer is not checked', async () => {
    remember('/proxyflip/web', state({ phase: 'policies', mode: 'plain' }));
    aws.executions.set('run-1', { status: 'InProgress' });
    const [result] = (await check()).loadBalancers;

    expect(result).toMatchObject({ status: 'NOT_CHECKED', findings: [] });
    expect(result?.why).toContain('run-1');
    expect(count('SendCommand')).toBe(0);
    expect(aws.events).toEqual([]);
  });

  test('that begins while the check reads makes it NOT_CHECKED, whatever was found', async () => {
    aws.meanwhile = async (action) => {
      if (action !== 'DescribeLoadBalancerPolicies') return;
      remember('/proxyflip/web', state({ phase: 'policies', mode: 'plain', executionId: 'run-2' }));
      aws.answersTo = () => receiver({ mode: 'both', rule: true, live: { 80: 'both', 81: 'both' } });
    };

    expect(tell(await check())).toEqual([['web', 'NOT_CHECKED', []]]);
    expect(aws.events).toEqual([]);
  });

  test('whose state this version cannot read makes it UNKNOWN', async () => {
    aws.parameters.set('/proxyflip/web', ['{"version":9}']);
    const [result] = (await check()).loadBalancers;

    expect(result).toMatchObject({ status: 'UNKNOWN' });
    expect(result?.why).toContain('ERR_STATE_UNREADABLE');
  });
});

describe('on demand', () => {
  beforeEach(() => addSwitched('a', 'b'));

  test('checks the one that is named, and leaves the time of the last run', async () => {
    const answer = await check({ loadBalancerName: 'b' });

    expect(tell(answer)).toEqual([['b', 'IN_SYNC', []]]);
    expect(aws.parameters.has('/proxyflip/drift/last-run')).toBe(false);
    expect(printed).toHaveLength(1);
  });

  test('an empty name is everything, as the runbook passes it', async () => {
    expect(tell(await check({ loadBalancerName: '', withinSeconds: '270' }))).toHaveLength(2);
  });

  test('answers once more under Payload, as a runbook selects it', async () => {
    const answer = (await check({ loadBalancerName: 'b' })) as CheckAnswer & { Payload: object };

    expect(answer.Payload).toEqual({ status: 'IN_SYNC', summary: '1 IN_SYNC.', report: 'b: IN_SYNC' });
  });

  test('says of one that was never switched that it was not checked', async () => {
    aws.addLoadBalancer('stranger');

    expect((await check({ loadBalancerName: 'stranger' })).loadBalancers).toEqual([
      expect.objectContaining({ status: 'NOT_CHECKED', why: 'proxyflip has not switched it' }),
    ]);
  });

  test.each([
    ['a name that nobody has', { loadBalancerName: 'none' }, 'ERR_LOAD_BALANCER_NOT_FOUND'],
    ['a name that cannot be one', { loadBalancerName: 'a/b' }, 'ERR_INVALID_INPUT: loadBalancerName is "a/b"'],
    ['a word that it does not know', { loadBalancer: 'a' }, 'ERR_INVALID_INPUT'],
  ])('refuses %s', async (_desc, event, message) => {
    await expect(check(event)).rejects.toThrow(message);
  });
});
