/** Reading the account: how much is asked for at once, until when, and what became of what was deleted meanwhile. */
import type { ElasticLoadBalancingClient } from '@aws-sdk/client-elastic-load-balancing';
import { beforeEach, describe, expect, test } from '@jest/globals';
import {
  readHealth,
  readLoadBalancers,
  readParameters,
  readPolicies,
  readTags,
} from '../../../functions/drift-check/account.ts';
import { FakeAws, FakeError, proxyPolicy } from '../fake-aws.ts';

let aws: FakeAws;
const inputs = () => aws.calls.map(({ input }) => input);

beforeEach(() => {
  aws = new FakeAws();
});

/** The SDK's class, and the wire's code where the answer is not modelled. */
const GONE = ['AccessPointNotFoundException', 'LoadBalancerNotFound'];

test('load balancers are read in pages of 400, to their end', async () => {
  const names = Array.from({ length: 1000 }, (_, index) => `lb-${index}`);
  const asked: unknown[] = [];
  const send = async ({ input }: { input: { PageSize: number; Marker?: string } }) => {
    asked.push(input);
    const start = Number(input.Marker ?? 0);
    const end = start + input.PageSize;
    return {
      LoadBalancerDescriptions: names.slice(start, end).map((LoadBalancerName) => ({ LoadBalancerName })),
      NextMarker: end < names.length ? String(end) : '',
    };
  };

  const found = await readLoadBalancers({ send } as unknown as ElasticLoadBalancingClient);

  expect([...found.keys()]).toEqual(names);
  expect(asked).toEqual([{ PageSize: 400 }, { PageSize: 400, Marker: '400' }, { PageSize: 400, Marker: '800' }]);
});

test.each<[string, '' | undefined]>([
  ['is empty', ''],
  ['is left out', undefined],
])('parameters are read ten a page, until the token %s', async (_desc, last) => {
  for (const name of ['a', 'b', 'c', 'd', 'e']) aws.parameters.set(`/proxyflip/${name}`, [`of ${name}`]);
  aws.parameters.set('/proxyflip/drift/last-run', ['{}']);
  aws.pages = { size: 2, last };

  expect([...(await readParameters(aws.ssm, '/proxyflip', false))]).toEqual([
    ['/proxyflip/a', 'of a'],
    ['/proxyflip/b', 'of b'],
    ['/proxyflip/c', 'of c'],
    ['/proxyflip/d', 'of d'],
    ['/proxyflip/e', 'of e'],
  ]);
  expect(inputs()).toEqual([
    { Path: '/proxyflip', Recursive: false, MaxResults: 10 },
    { Path: '/proxyflip', Recursive: false, MaxResults: 10, NextToken: '2' },
    { Path: '/proxyflip', Recursive: false, MaxResults: 10, NextToken: '4' },
  ]);
});

describe('policies', () => {
  test('are those of the one load balancer', async () => {
    aws.addLoadBalancer('web', { policies: [proxyPolicy('one')] });
    aws.addLoadBalancer('other', { policies: [proxyPolicy('two')] });

    expect(await readPolicies(aws.elb, 'web')).toEqual([proxyPolicy('one')]);
    expect(inputs()).toEqual([{ LoadBalancerName: 'web' }]);
  });

  test.each(GONE)('of one that was deleted are undefined (%s)', async (name) => {
    aws.fault = () => {
      throw new FakeError(name);
    };
    expect(await readPolicies(aws.elb, 'web')).toBeUndefined();
  });

  test('that may not be read are an error', async () => {
    aws.fault = () => {
      throw new FakeError('AccessDenied');
    };
    await expect(readPolicies(aws.elb, 'web')).rejects.toThrow('AccessDenied');
  });
});

describe('tags', () => {
  test('are read for twenty load balancers a call', async () => {
    const names = Array.from({ length: 45 }, (_, index) => `lb-${index}`);
    for (const name of names) aws.addLoadBalancer(name, { tags: { owner: `of ${name}`, stage: 'live' } });

    const tags = await readTags(aws.elb, names);

    expect([...tags].map(([name, each]) => [name, [...each]])).toEqual(
      names.map((name) => [
        name,
        [
          ['owner', `of ${name}`],
          ['stage', 'live'],
        ],
      ]),
    );
    expect(inputs()).toEqual([
      { LoadBalancerNames: names.slice(0, 20) },
      { LoadBalancerNames: names.slice(20, 40) },
      { LoadBalancerNames: names.slice(40) },
    ]);
  });

  test.each(GONE)('one that was deleted spoils the call for nobody else (%s)', async (name) => {
    aws.addLoadBalancer('a', { tags: { owner: 'A' } });
    aws.addLoadBalancer('c', { tags: { owner: 'C' } });
    aws.fault = () => {
      const names = inputs().at(-1)?.LoadBalancerNames as string[];
      if (names.includes('b')) throw new FakeError(name);
    };

    expect(await readTags(aws.elb, ['a', 'b', 'c'])).toEqual(
      new Map([
        ['a', new Map([['owner', 'A']])],
        ['c', new Map([['owner', 'C']])],
      ]),
    );
    expect(inputs()).toEqual(
      [['a', 'b', 'c'], ['a'], ['b'], ['c']].map((LoadBalancerNames) => ({ LoadBalancerNames })),
    );
  });

  test('that may not be read are an error, and not asked for one by one', async () => {
    aws.fault = () => {
      throw new FakeError('AccessDenied');
    };
    await expect(readTags(aws.elb, ['a', 'b'])).rejects.toThrow('AccessDenied');
    expect(aws.calls).toHaveLength(1);
  });

  test('of no load balancer take no call', async () => {
    expect(await readTags(aws.elb, [])).toEqual(new Map());
    expect(aws.calls).toEqual([]);
  });
});

test('health tells who was taken out of service from who is joining', async () => {
  aws.addLoadBalancer('web', { instanceIds: ['i-serves', 'i-joins', 'i-failed', 'i-unknown'] });
  aws.health.set('i-joins', { State: 'OutOfService', Description: 'Instance registration is still in progress.' });
  aws.health.set('i-failed', { State: 'OutOfService', Description: 'Instance has failed at least the threshold.' });
  aws.health.set('i-unknown', { State: 'Unknown' });

  expect(await readHealth(aws.elb, 'web')).toEqual({
    outOfService: new Set(['i-failed', 'i-unknown']),
    joining: new Set(['i-joins']),
  });
  expect(inputs()).toEqual([{ LoadBalancerName: 'web' }]);
});
