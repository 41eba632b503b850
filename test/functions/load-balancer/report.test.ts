import { beforeEach, describe, expect, test } from '@jest/globals';
import { conclude } from '../../../functions/load-balancer/steps/report.ts';
import { FakeAws, type FakeLoadBalancer } from '../fake-aws.ts';
import { type Receivers, runSwitch, stepsOf } from './driver.ts';

const ASKED = { loadBalancerName: 'web', executionId: 'run-9', commandId: 'status' };
let aws: FakeAws;
let web: FakeLoadBalancer;
let receivers: Receivers;

beforeEach(() => {
  aws = new FakeAws();
  const instanceIds = ['i-1', 'i-2'].map((id) => aws.addInstance(id));
  web = aws.addLoadBalancer('web', { instanceIds });
  receivers = new Map(instanceIds.map((id) => [id, undefined]));
});

describe('the report of both sides', () => {
  test('of a switched fleet names ports, receivers and who switched, and writes nothing', async () => {
    await runSwitch(aws, receivers);
    web.backend[443] = ['left-over'];
    aws.answer('status', { 'i-1': { mode: 'proxy', ready: true }, 'i-2': { mode: 'proxy', ready: false } });
    const { length } = aws.writes;
    const parameters = JSON.stringify([...aws.parameters]);

    expect(await stepsOf(aws)('Report', ASKED)).toMatchObject({
      instancePorts: [
        '80: PROXY protocol on, policies [proxyflip-proxy-protocol], fed by listener 80',
        '81: PROXY protocol on, policies [proxyflip-proxy-protocol], fed by listener 443',
        '443: PROXY protocol off, policies [left-over], no listener feeds it',
      ].join('\n'),
      receivers: 'i-1: proxy\ni-2: proxy, not ready',
      state: expect.stringMatching(/^Owner console\. Last execution run-1: enable, phase done, started by arn:.*user/),
    });
    expect(aws.writes).toHaveLength(length);
    expect(JSON.stringify([...aws.parameters])).toBe(parameters);
  });

  test('of a fleet that nobody has switched', async () => {
    aws.answer('status', { 'i-1': { mode: 'none', problems: ['ERR_PORT_TAKEN port 80 belongs to caddy'] } });
    expect(await stepsOf(aws)('Report', ASKED)).toMatchObject({
      receivers:
        'i-1: not installed; against a switch: ERR_PORT_TAKEN port 80 belongs to caddy\ni-2: was not reached; it may lack the tag or the agent',
      state: 'Nobody has switched it, or its owner has switched it off.',
    });
  });

  test('of a load balancer that is not there says so', async () => {
    expect(await stepsOf(aws)('Report', { ...ASKED, loadBalancerName: 'nobody' })).toMatchObject({
      summary: 'There is no load balancer nobody in this account and Region.',
    });
  });
});

test.each([
  [[true, true], ['proxy', 'proxy'], 'PROXY protocol is on; receivers are in proxy: both sides agree.'],
  [[false], ['plain'], 'PROXY protocol is off; receivers are in plain: both sides agree.'],
  [[], ['none'], 'PROXY protocol is off; receivers are in none: both sides agree.'],
  [[true, false], ['both'], 'all is served, and no address is trusted'],
  [[true, false], ['proxy'], 'PROXY protocol is on at some instance ports; receivers are in proxy: they do not agree'],
  [[true], ['proxy', 'plain'], 'receivers are in proxy and plain: they do not agree'],
  [[false], ['proxy'], 'they do not agree'],
  [[true], ['proxy', undefined], 'receivers are in proxy and unknown: what cannot be seen has to be reached first'],
])('policies %j and modes %j: %s', (on, modes, says) => {
  expect(conclude(on, modes)).toContain(says);
});
