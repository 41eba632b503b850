/** One round of measuring: who is asked what, what is kept between rounds, and how long to the next. */
import { describe, expect, test } from '@jest/globals';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { SWITCHED_ON, stage } from './stage.ts';

const NODE = '10.0.101.21';
/** The last of them is of a listener that has gone since. */
const NODES = `${NODE}:80=http ${NODE}:443=https ${NODE}:8443=https`;
const ASKED = {
  direction: 'enable',
  commandId: 'measure',
  nodes: NODES,
  quietSeconds: '30',
  boundSeconds: '900',
  unmeasuredNode: 'Assume',
};
const NOW = '2026-11-21T00:00:00.000Z';
const secondsAgo = (seconds: number) => new Date(Date.parse(NOW) - seconds * 1000).toISOString();

type Entry = [port: string, source: string, kind: 'plain' | 'proxy', count: number, ageSeconds: number];
const measurement = (seen: Entry[], probes = '---') => ({ uptime: 900, own: [], seen, probes });
const lines: Entry[] = [
  ['80', NODE, 'proxy', 5, 0.2],
  ['81', NODE, 'proxy', 5, 0.2],
];

/** Policies are attached, and both receivers answer this. */
function measuring(answer: object, given: Parameters<typeof stage>[0] = SWITCHED_ON, state: Partial<SwitchState> = {}) {
  const set = stage(given);
  const held = set.hold({ phase: 'policies', ...state });
  set.aws.answer('measure', { 'i-1': answer, 'i-2': answer });
  return { ...set, held };
}

describe('the first round', () => {
  test('of nodes that all follow is the last: it is written, logged, and nobody waits', async () => {
    const { ask, held, state, logged, sleptMs } = measuring(measurement(lines, '111'));
    const judgement = {
      verdict: 'final',
      measured:
        '2 of 2 pairs of node and instance port seen to send the new kind, on 2 instances; nothing of the old kind for 30 s',
      assumed: '',
      remaining: '',
    };

    expect(await ask('Judge', ASKED)).toEqual(judgement);

    expect(state()).toEqual({
      ...held,
      phase: 'measuring',
      measuringSince: NOW,
      followedSince: NOW,
      rounds: 1,
      ...judgement,
    });
    expect(logged).toEqual([{ message: 'judged', loadBalancerName: 'web', ...judgement }]);
    expect(sleptMs()).toBe(0);
  });

  test.each([
    ['900', 10_000],
    ['90', 2_000],
  ])('that has to wait, of %s s in all, waits %d ms before the runbook asks again', async (boundSeconds, ms) => {
    const { ask, sleptMs } = measuring(measurement([]));

    expect(await ask('Judge', { ...ASKED, boundSeconds })).toEqual({
      verdict: 'wait',
      measured:
        '0 of 2 pairs of node and instance port seen to send the new kind, on 2 instances; nothing of the old kind for 30 s',
      assumed: '',
      remaining: `no connection of the new kind yet, later than the old: node ${NODE} on instance port 80, node ${NODE} on instance port 81 (0 of ${boundSeconds} s)`,
    });
    expect(sleptMs()).toBe(ms);
  });

  test('that could not learn of any node has none to wait for by name', async () => {
    const { ask } = measuring(measurement(lines, ''));

    expect(await ask('Judge', { ...ASKED, nodes: '' })).toMatchObject({
      verdict: 'wait',
      measured: expect.stringContaining('on 2 instances'),
      remaining:
        'no connection of the new kind yet, later than the old: the addresses of the load balancer’s nodes are not known (0 of 900 s)',
    });
  });
});

describe('a round behind others', () => {
  test('counts on, from the first', async () => {
    const { ask, state } = measuring(measurement([]), SWITCHED_ON, {
      phase: 'measuring',
      measuringSince: secondsAgo(40),
      rounds: 3,
      verdict: 'wait',
    });

    expect(await ask('Judge', ASKED)).toMatchObject({
      verdict: 'wait',
      remaining: expect.stringContaining('(40 of 900 s)'),
    });
    expect(state()).toMatchObject({ measuringSince: secondsAgo(40), rounds: 4 });
  });

  test('beyond the bound is the last, and says what was not seen', async () => {
    const { ask, sleptMs } = measuring(measurement([]), SWITCHED_ON, { measuringSince: secondsAgo(901) });

    expect(await ask('Judge', { ...ASKED, unmeasuredNode: 'StayBoth' })).toEqual({
      verdict: 'both',
      measured: expect.stringMatching(/^0 of 2 pairs/),
      assumed: '',
      remaining: `nothing came from it in 901 s: node ${NODE} on instance port 80, node ${NODE} on instance port 81`,
    });
    expect(sleptMs()).toBe(0);
  });
});

describe('of a disable, where clients send lines of their own through nodes that write none', () => {
  const off = { ...ASKED, direction: 'disable' };
  /** Through the listener that is gone a line came, which says nothing of an instance port. */
  const own = measurement(
    [
      ['80', NODE, 'plain', 9, 5],
      ['80', NODE, 'proxy', 3, 0.5],
      ['81', NODE, 'plain', 9, 0.5],
    ],
    '001',
  );

  test.each([
    [undefined, 'wait', NOW],
    [20, 'wait', secondsAgo(20)],
    [40, 'final', secondsAgo(40)],
  ])('seen to follow for %s s: %s', async (followedSeconds, verdict, since) => {
    const { ask, state } = measuring(
      own,
      {},
      {
        phase: 'measuring',
        direction: 'disable',
        ...(followedSeconds === undefined ? {} : { followedSince: secondsAgo(followedSeconds) }),
      },
    );

    expect(await ask('Judge', off)).toMatchObject({
      verdict,
      assumed:
        verdict === 'wait'
          ? ''
          : `PROXY lines that still come are clients’ own (6 from ${NODE} to instance port 80), since every request of the instances’ own through every node has come without one for 40 s`,
    });
    expect(state()).toMatchObject({ followedSince: since });
  });

  test.each([
    ['through port 80', '101'],
    ['through port 81', '021'],
    ['that got no answer', '0-1'],
  ])('a request of the instances’ own %s (%s) begins the spell anew', async (_desc, probes) => {
    const { ask, state } = measuring({ ...own, probes }, {}, { followedSince: secondsAgo(40) });

    expect(await ask('Judge', off)).toMatchObject({ verdict: 'wait' });
    expect(state()).not.toHaveProperty('followedSince');
  });
});

describe('an instance that gave no measurement', () => {
  test('stands against it, whatever the others say', async () => {
    const { aws, web, ask } = measuring({});
    web.instanceIds = ['i-1', 'i-2', 'i-3', 'i-4'];
    aws.answer('measure', {
      'i-1': measurement(lines, '111'),
      'i-2': { status: 'Failed', output: 'x\n----------ERROR-------\nno counters' },
      'i-3': { mode: 'both' },
    });

    expect(await ask('Judge', ASKED)).toMatchObject({
      verdict: 'wait',
      measured: expect.stringContaining('on 1 instances'),
      // An answer may come late: it is waited for.
      remaining:
        'i-2 could not be measured: Failed: no counters; i-3 could not be measured: its answer is not a measurement; i-4 could not be measured: it was not asked (20 of 900 s)',
    });
  });

  test('is every one where no command could be sent, and nobody waits for answers to it', async () => {
    const { ask, sleptMs } = measuring({});

    expect(await ask('Judge', { ...ASKED, commandId: '' })).toMatchObject({
      verdict: 'wait',
      remaining: expect.stringContaining(
        'i-1 could not be measured: it was not asked; i-2 could not be measured: it was not asked;',
      ),
    });
    // The pause to the next round alone.
    expect(sleptMs()).toBe(10_000);
  });
});

test('ports that leave in this run are measured too', async () => {
  const { ask } = measuring(measurement(lines, '111'), SWITCHED_ON, { instancePorts: '80=http' });

  expect(await ask('Judge', ASKED)).toMatchObject({ measured: expect.stringMatching(/^2 of 2 pairs/) });
});
