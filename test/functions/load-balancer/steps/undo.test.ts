/** Where the receivers go after a stop, by how far the run had come; and what is remembered of it. */
import { describe, expect, test } from '@jest/globals';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { FakeError } from '../../fake-aws.ts';
import { BEGUN, stage } from './stage.ts';

const NOTHING = {
  restore: 'no',
  mode: 'both',
  instancePorts: '',
  trustedCidrs: '',
  summary: 'Nothing was changed by this execution.',
};
const CIDRS = '10.0.101.0/24 10.0.102.0/24';
const SETTLED = { mode: 'proxy', settings: 'abc' } as const;
const DISPLACED: SwitchState = { ...BEGUN, executionId: 'run-0', phase: 'done', mode: 'proxy' };

describe('a run that has changed nothing', () => {
  test.each([
    ['another’s', { executionId: 'run-2' }],
    ['ended well', { phase: 'done' }],
  ] as const)('since it is %s leaves all as it is', async (_desc, state) => {
    const { ask, changes, hold, expectNewcomers } = stage();
    hold(state);
    expectNewcomers();

    expect(await ask('Undo')).toEqual(NOTHING);
    expect(changes()).toEqual([]);
  });

  test('since it never took the state leaves all as it is', async () => {
    const { ask, changes } = stage();

    expect(await ask('Undo')).toEqual(NOTHING);
    expect(changes()).toEqual([]);
  });

  test.each<{ desc: string; state: Partial<SwitchState>; left: SwitchState | undefined }>([
    { desc: 'is forgotten where the load balancer was never switched', state: {}, left: undefined },
    {
      desc: 'is remembered as ended where somebody else’s policy was on already',
      state: { mode: 'both' },
      left: { ...BEGUN, mode: 'both', phase: 'done' },
    },
    {
      desc: 'is remembered as ended where one before it had settled something',
      state: { settled: SETTLED },
      left: { ...BEGUN, settled: SETTLED, phase: 'done' },
    },
    { desc: 'gives back what it has displaced', state: { displaced: DISPLACED }, left: DISPLACED },
    {
      desc: 'gives back what it has displaced, settled as it was',
      state: { settled: SETTLED, mode: 'proxy', displaced: { ...DISPLACED, settled: SETTLED } },
      left: { ...DISPLACED, settled: SETTLED },
    },
  ])('since it had only begun $desc', async ({ state, left }) => {
    const { ask, hold, joining, state: held, expectNewcomers } = stage();
    hold(state);
    expectNewcomers();

    expect(await ask('Undo')).toEqual({
      ...NOTHING,
      summary: 'Stopped before anything was changed at web or on an instance.',
    });
    expect(held()).toEqual(left);
    expect(joining()).toBe('wait');
  });
});

describe('a run that has changed something', () => {
  const untouched = 'no policy was changed';
  const touched = 'policies may have been changed';

  test.each<[SwitchState['phase'], SwitchState['mode'], SwitchState['mode'], string]>([
    ['receivers', 'plain', 'plain', untouched],
    ['receivers', 'proxy', 'proxy', untouched],
    ['receivers', 'both', 'both', touched],
    ['policies', 'plain', 'both', touched],
    ['measuring', 'proxy', 'both', touched],
    // Asked a second time, since the first answer was lost.
    ['undone', 'plain', 'plain', untouched],
    ['undone', 'both', 'both', touched],
  ])('in phase %s, from %s: receivers go to %s, and %s', async (phase, before, mode, words) => {
    const { ask, hold, joining, state, expectNewcomers } = stage();
    const held = hold({ phase, mode: before, bothPorts: '80=http 81=https 82=http', trustedCidrs: CIDRS });
    expectNewcomers();

    expect(await ask('Undo')).toEqual({
      restore: 'yes',
      mode,
      instancePorts: '80=http 81=https 82=http',
      trustedCidrs: CIDRS,
      summary: `Stopped: ${words} at web, and receivers go to ${mode}, which serves. Run the runbook again with Direction enable to finish, or with disable to go back.`,
    });
    expect(state()).toEqual({ ...held, phase: 'undone', mode });
    expect(joining()).toBe(`${mode}; 80=http 81=https 82=http; ${CIDRS}`);
  });

  test('says the other way round of a disable, and nothing of subnets that were never told', async () => {
    const { ask, hold } = stage();
    hold({ phase: 'policies', direction: 'disable' });

    expect(await ask('Undo')).toMatchObject({
      trustedCidrs: '',
      summary: expect.stringMatching(/Direction disable to finish, or with enable to go back\.$/),
    });
  });

  test('restores the receivers where instances that come later cannot be told, and says so in the log', async () => {
    const { aws, ask, hold, logged } = stage();
    hold({ phase: 'policies' });
    aws.fault = (action) => {
      if (action === 'GetParametersByPath') throw new FakeError('ThrottlingException');
    };

    expect(await ask('Undo')).toMatchObject({ restore: 'yes', mode: 'both' });
    expect(logged).toEqual([
      {
        message: 'instances that come later were not told',
        loadBalancerName: 'web',
        error: 'fake ThrottlingException',
      },
    ]);
  });
});

describe('a cancelled step that still writes', () => {
  test('once is undone behind it', async () => {
    const { aws, ask, hold, state } = stage();
    hold({ phase: 'receivers' });
    let late = false;
    aws.fault = (action, when) => {
      if (action !== 'PutParameter' || when === 'after' || late) return;
      late = true;
      hold({ phase: 'policies' });
    };

    expect(await ask('Undo')).toMatchObject({ restore: 'yes', mode: 'both' });
    expect(state()).toMatchObject({ phase: 'undone', mode: 'both' });
  });

  test('again and again ends the undo, which says so', async () => {
    const { aws, ask, hold } = stage();
    hold({ phase: 'receivers' });
    let rounds = 0;
    aws.fault = (action, when) => {
      if (action !== 'PutParameter' || when === 'after') return;
      rounds += 1;
      hold({ phase: 'policies', rounds });
    };

    await expect(ask('Undo')).rejects.toThrow(
      'ERR_STATE_LOST: the parameter /proxyflip/web names execution run-1 in phase policies',
    );
    // Three times its own, and what it has found put back.
    expect(rounds).toBe(6);
  });

  test('and of which another has made a run of its own since leaves nothing to undo', async () => {
    const { aws, ask, hold, state } = stage();
    hold({ phase: 'receivers' });
    aws.fault = (action, when) => {
      if (action !== 'PutParameter' || when === 'after') return;
      aws.fault = undefined;
      hold({ executionId: 'run-2' });
    };

    expect(await ask('Undo')).toEqual(NOTHING);
    expect(state()).toMatchObject({ executionId: 'run-2', phase: 'started' });
  });
});

test('a state that cannot be written is told at once', async () => {
  const { aws, ask, hold, changes } = stage();
  hold({ phase: 'receivers' });
  aws.fault = (action) => {
    if (action === 'PutParameter') throw new FakeError('AccessDeniedException');
  };

  await expect(ask('Undo')).rejects.toThrow('fake AccessDeniedException');
  expect(changes()).toEqual(['PutParameter /proxyflip/web']);
});
