/** What becomes of an account that one invocation cannot check. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { memoryName } from '../../../functions/drift-check/memory.ts';
import { type FakeAws, FakeError } from '../fake-aws.ts';
import { Driver } from './driver.ts';
import { state } from './situations.ts';

let driver: Driver;
let aws: FakeAws;
let printed: readonly string[];

const addSwitched = (...names: string[]) => {
  for (const name of names) driver.addSwitched(name);
};
const check: Driver['check'] = (event, remainingMs) => driver.check(event, remainingMs);
const count: Driver['count'] = (action) => driver.count(action);

beforeEach(() => {
  driver = new Driver();
  ({ aws, printed } = driver);
});

describe('what does not fit into one invocation', () => {
  const names = Array.from({ length: 300 }, (_, index) => `lb-${String(index).padStart(3, '0')}`);
  beforeEach(() => addSwitched(...names));

  /** As the template's rule brings it back. */
  const goOn = () => check(aws.events.findLast(({ detailType }) => detailType === 'proxyflip check')?.detail);

  test('goes on from where it stopped, and nothing is left out', async () => {
    // 250 load balancers are a stretch; then the time is up.
    aws.onSleep = () => {
      aws.now += 400_000;
    };
    const first = await check({}, 640_000);
    const second = await goOn();

    expect(first.loadBalancers).toHaveLength(250);
    expect(first).toMatchObject({
      status: 'NOT_CHECKED',
      summary: '250 IN_SYNC. 50 left to be checked: the check goes on by itself, behind lb-249.',
    });
    expect(second).toMatchObject({ status: 'IN_SYNC', summary: '50 IN_SYNC.' });
    expect(aws.events).toEqual([
      {
        detailType: 'proxyflip check',
        detail: {
          continuation: {
            runId: expect.any(String),
            startedAt: '2026-11-21T12:00:00.000Z',
            after: 'lb-249',
            hop: 1,
            totals: { checked: 250, notChecked: 0, unreachable: 0, bySeverity: {}, oldest: 0 },
          },
        },
      },
    ]);
    expect(aws.parameter('/proxyflip/drift/last-run')).toEqual({ version: 1, at: '2026-11-21T12:00:00.000Z' });
    expect(second.loadBalancers).toHaveLength(50);
    expect([...first.loadBalancers, ...second.loadBalancers].map(({ name }) => name)).toEqual(names);
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ LoadBalancersInScope: 300, LoadBalancersChecked: 300 });
  });

  test('goes on where the API gave no more, too', async () => {
    let throttled = true;
    aws.fault = (action) => {
      if (throttled && action === 'DescribeTags') throw new FakeError('Throttling');
    };
    const first = await check();
    throttled = false;
    const second = await goOn();

    expect(first.loadBalancers).toEqual([]);
    expect(second.loadBalancers).toHaveLength(300);
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ LoadBalancersChecked: 300 });
  });

  test('is said after twenty times in vain', async () => {
    aws.fault = (action) => {
      if (action === 'DescribeTags') throw new FakeError('Throttling');
    };
    let answer = await check();
    for (let hop = 0; hop < 20; hop += 1) answer = await goOn();

    expect(answer.status).toBe('NOT_CHECKED');
    expect(answer.loadBalancers).toHaveLength(300);
    expect(JSON.parse(printed.at(-1) ?? '')).toMatchObject({ LoadBalancersChecked: 0, LoadBalancersNotChecked: 300 });
  });

  test('an error that is no throttling is one', async () => {
    aws.fault = (action) => {
      if (action === 'DescribeTags') throw new FakeError('AccessDenied');
    };
    await expect(check()).rejects.toThrow('AccessDenied');
  });

  test('takes 1.1 read calls for each load balancer and the pages, and one command for 50 instances', async () => {
    await check();

    expect(count('DescribeLoadBalancerPolicies') + count('DescribeTags')).toBeLessThanOrEqual(names.length * 1.1);
    expect(count('SendCommand')).toBe(names.length / 50);
    expect(count('GetParameter')).toBe(0);
    expect(count('DescribeInstanceHealth')).toBe(0);
    // Beyond 50 load balancers those alone have metrics of their own that have something to say.
    expect(printed).toHaveLength(1);
  });

  test('memory of one load balancer fits into a parameter of 4 KB, however many findings it has', async () => {
    const name = names[0] ?? '';
    const loadBalancer = aws.loadBalancers.get(name);
    if (loadBalancer === undefined) throw new Error('it is there');
    loadBalancer.instanceIds = Array.from(
      { length: 500 },
      (_, index) => `i-0123456789abc${String(index).padStart(4, '0')}`,
    );
    await check({ loadBalancerName: name });

    expect(aws.parameters.get(memoryName(name))?.at(-1)?.length).toBeLessThan(4096);
    expect(aws.events[0]?.detail).toMatchObject({ omitted: 480 });
    expect(aws.events[0]?.detail.findings).toHaveLength(20);
    await check({ loadBalancerName: name });
    expect(aws.events).toHaveLength(1);
  });
});

describe('a stretch', () => {
  /** Load balancers at which a switch is at work: nobody asks their instances, and all count. */
  function addBusy(...sizes: number[]): void {
    aws.executions.set('run-1', { status: 'InProgress' });
    for (const [index, size] of sizes.entries()) {
      const name = `lb-${String(index).padStart(3, '0')}`;
      driver.addSwitched(name).instanceIds = Array.from({ length: size }, (_, each) => `i-${index}-${each}`);
      driver.remember(`/proxyflip/${name}`, state({ phase: 'policies' }));
    }
  }

  /** How many load balancers it takes until there is no time for another stretch. */
  async function firstStretch(): Promise<number> {
    aws.meanwhile = async (action) => {
      if (action === 'GetAutomationExecution') aws.now += 300_000;
    };
    return (await check({}, 300_000)).loadBalancers.length;
  }

  test.each<[string, number[], number]>([
    ['two load balancers with as many instances as it holds', [1250, 1250, 1], 2],
    ['one, if the next has one too many', [1250, 1251], 1],
    ['three, and not the one that would be too many', [1000, 1000, 500, 1], 3],
    ['one that has too many by itself', [2501, 1], 1],
    ['one without any, before one that has too many', [0, 2501], 1],
    ['250 load balancers with few', Array.from({ length: 300 }, () => 9), 250],
  ])('holds %s', async (_desc, sizes, held) => {
    addBusy(...sizes);
    expect(await firstStretch()).toBe(held);
  });
});

describe('who asks for one load balancer', () => {
  beforeEach(() => addSwitched('a', 'b'));

  test('is told where there was no time for it, and nothing goes on', async () => {
    const { Payload: _payload, ...answer } = await check({ loadBalancerName: 'a', withinSeconds: '240' });

    const why = 'neither time nor the API’s limits allowed it';
    expect(answer).toEqual({
      status: 'NOT_CHECKED',
      loadBalancers: [{ name: 'a', status: 'NOT_CHECKED', findings: [], suppressed: 0, why }],
      summary: '1 NOT_CHECKED (a).',
      report: `a: NOT_CHECKED, ${why}`,
    });
    expect(aws.events).toEqual([]);
    expect(printed).toEqual([]);
  });

  test('has it with a second more', async () => {
    expect((await check({ loadBalancerName: 'a', withinSeconds: '241' })).status).toBe('IN_SYNC');
  });

  test('is told that the API gave no more', async () => {
    aws.fault = (action) => {
      if (action === 'DescribeTags') throw new FakeError('Throttling');
    };
    await expect(check({ loadBalancerName: 'a' })).rejects.toThrow('Throttling');
    expect(aws.events).toEqual([]);
  });
});
