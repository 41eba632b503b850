/** What becomes of an account that one invocation cannot check. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { memoryName } from '../../../functions/drift-check/memory.ts';
import { type FakeAws, FakeError } from '../fake-aws.ts';
import { Driver } from './driver.ts';

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
    expect(first.summary).toContain('50 load balancers are left');
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
    await check({ loadBalancerName: name });
    expect(aws.events).toHaveLength(1);
  });
});
