/** Which state both sides are in, in words; of whatever there is, since it refuses nothing. */
import { describe, expect, test } from '@jest/globals';
import { conclude } from '../../../../functions/load-balancer/steps/report.ts';
import { FakeError, listener, tcp } from '../../fake-aws.ts';
import { SWITCHED_ON, stage } from './stage.ts';

const ASKED = { executionId: 'run-9', commandId: 'status' };
const NOBODY = 'Nobody has switched it, or its owner has switched it off.';
const OFF =
  '80: PROXY protocol off, policies [], fed by listener 80\n81: PROXY protocol off, policies [], fed by listener 443';

describe('the report of both sides', () => {
  test('of a switched fleet names ports, receivers and who switched, and writes nothing', async () => {
    const { aws, web, ask, hold, changes } = stage(SWITCHED_ON);
    hold({ phase: 'done', mode: 'proxy', owner: 'stack-a/Switch' });
    // A left-over of a listener that is gone, a second listener of a port, and one that is not of TCP and not ours to tell.
    web.backend[443] = ['left-over', 'other'];
    web.listeners.push(tcp(8080, 80), listener('HTTP', 8081, 'HTTP', 8081));
    aws.answer('status', { 'i-1': { mode: 'proxy', ready: true }, 'i-2': { mode: 'proxy', ready: true } });

    expect(await ask('Report', ASKED)).toEqual({
      instancePorts: [
        '80: PROXY protocol on, policies [proxyflip-proxy-protocol], fed by listener 80, 8080',
        '81: PROXY protocol on, policies [proxyflip-proxy-protocol], fed by listener 443',
        '443: PROXY protocol off, policies [left-over, other], no listener feeds it',
      ].join('\n'),
      receivers: 'i-1: proxy\ni-2: proxy',
      state:
        'Owner stack-a/Switch. Last execution run-1: enable, phase done, started by alice at 2026-11-20T23:59:00.000Z.',
      summary:
        'PROXY protocol is on at some instance ports; receivers are in proxy: they do not agree. Run the switch runbook with the direction that is wanted.',
    });
    expect(changes()).toEqual([]);
  });

  test('tells ports in their order, whatever order listeners and policies are in', async () => {
    const { ask } = stage({
      listeners: [tcp(9000, 9000), tcp(443, 443), tcp(80, 80)],
      backend: { 1000: ['left-over'] },
    });

    const { instancePorts } = (await ask('Report', ASKED)) as { instancePorts: string };

    expect(instancePorts.split('\n').map((line) => Number.parseInt(line, 10))).toEqual([80, 443, 1000, 9000]);
  });

  test.each<[string, Record<string, object>, string, string]>([
    ['none installed', { 'i-1': { mode: 'none', ready: false } }, 'not installed', 'none'],
    ['one that is not ready', { 'i-1': { mode: 'both', ready: false } }, 'both, not ready', 'both'],
    ['one against which nothing stands', { 'i-1': { mode: 'plain', ready: true, problems: [] } }, 'plain', 'plain'],
    [
      'one that something stands against',
      { 'i-1': { mode: 'none', problems: ['ERR_PORT_TAKEN port 80 belongs to caddy', 'ERR_PACKAGES no nginx'] } },
      'not installed; against a switch: ERR_PORT_TAKEN port 80 belongs to caddy; ERR_PACKAGES no nginx',
      'none',
    ],
    [
      'one that did not say',
      { 'i-1': { status: 'TimedOut', output: 'x\n----------ERROR-------\nkilled' } },
      'did not say (TimedOut): killed',
      'unknown',
    ],
    ['one that was not reached', {}, 'was not reached; it may lack the tag or the agent', 'unknown'],
  ])('of a receiver: %s', async (_desc, answers, words, mode) => {
    const { aws, ask } = stage({ instanceIds: ['i-1'] });
    aws.answer('status', answers);

    expect(await ask('Report', ASKED)).toEqual({
      instancePorts: OFF,
      receivers: `i-1: ${words}`,
      state: NOBODY,
      summary: conclude([false, false], [mode === 'unknown' ? undefined : mode]),
    });
  });

  test('without a command asks about none, and waits for nobody', async () => {
    const { ask, sleptMs } = stage();

    expect(await ask('Report', { ...ASKED, commandId: '' })).toMatchObject({
      receivers:
        'i-1: was not reached; it may lack the tag or the agent\ni-2: was not reached; it may lack the tag or the agent',
    });
    expect(sleptMs()).toBe(0);
  });

  test('of a load balancer that feeds nobody over TCP', async () => {
    const { ask } = stage({ listeners: [listener('HTTP', 80, 'HTTP', 80)], instanceIds: [] });

    expect(await ask('Report', { ...ASKED, commandId: '' })).toEqual({
      instancePorts: 'none',
      receivers: 'no instance is registered',
      state: NOBODY,
      summary:
        'PROXY protocol is off; receivers are in no mode: they do not agree. Run the switch runbook with the direction that is wanted.',
    });
  });

  test('of a load balancer that is not there says so, and who had it', async () => {
    const { aws, ask, hold } = stage();
    hold({ direction: 'disable', phase: 'undone' });
    aws.loadBalancers.clear();

    expect(await ask('Report', ASKED)).toEqual({
      instancePorts: 'none',
      receivers: 'none',
      state:
        'Owner console. Last execution run-1: disable, phase undone, started by alice at 2026-11-20T23:59:00.000Z.',
      summary: 'There is no load balancer web in this account and Region.',
    });
  });

  test('of one that cannot be looked at is an error', async () => {
    const { aws, ask } = stage();
    aws.fault = (action) => {
      if (action === 'DescribeTags') throw new FakeError('AccessDenied');
    };

    await expect(ask('Report', ASKED)).rejects.toThrow('fake AccessDenied');
  });
});

const AGREE = 'both sides agree.';
const DISAGREE = 'they do not agree. Run the switch runbook with the direction that is wanted.';
const SERVED = 'all is served, and no address is trusted. Run the switch runbook to finish.';
const UNSEEN = 'what cannot be seen has to be reached first.';

test.each<[boolean[], (string | undefined)[], string]>([
  [[true, true], ['proxy', 'proxy'], `PROXY protocol is on; receivers are in proxy: ${AGREE}`],
  [[false], ['plain'], `PROXY protocol is off; receivers are in plain: ${AGREE}`],
  [[false], ['none'], `PROXY protocol is off; receivers are in none: ${AGREE}`],
  [[], ['none'], `PROXY protocol is off; receivers are in none: ${AGREE}`],
  [[], ['plain'], `PROXY protocol is off; receivers are in plain: ${AGREE}`],
  [[], ['proxy'], `PROXY protocol is off; receivers are in proxy: ${DISAGREE}`],
  [[true, false], ['both'], `PROXY protocol is on at some instance ports; receivers are in both: ${SERVED}`],
  [[true], ['both'], `PROXY protocol is on; receivers are in both: ${SERVED}`],
  [[true, false], ['proxy'], `PROXY protocol is on at some instance ports; receivers are in proxy: ${DISAGREE}`],
  [[true, false], ['plain'], `PROXY protocol is on at some instance ports; receivers are in plain: ${DISAGREE}`],
  [[true], ['plain'], `PROXY protocol is on; receivers are in plain: ${DISAGREE}`],
  [[true], ['proxy', 'plain'], `PROXY protocol is on; receivers are in proxy and plain: ${DISAGREE}`],
  [[false], ['proxy'], `PROXY protocol is off; receivers are in proxy: ${DISAGREE}`],
  [[true], ['proxy', undefined], `PROXY protocol is on; receivers are in proxy and unknown: ${UNSEEN}`],
])('policies %j and modes %j: %s', (on, modes, says) => {
  expect(conclude(on, modes)).toBe(says);
});
