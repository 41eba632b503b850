/** What is written down at the end, what is forgotten, and what a person reads. */
import { describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { BEGUN, stage } from './stage.ts';

const ASKED = { owner: '', mode: 'proxy', settings: '80=http 81=https, 10.0.101.0/24' };
/** `printf '80=http 81=https, 10.0.101.0/24' | sha256sum` */
const FINGERPRINT = 'b7c988e3030636d26e3a5378ffa0db43f896301d3c99a9bfc0fcbf0e1f5046ae';

const ANSWER = {
  mode: 'proxy',
  instancePorts: '80=http 81=https',
  policyName: POLICY_NAME,
  assumed: '',
  summary: 'PROXY protocol is on at instance ports 80=http 81=https of web; receivers are in proxy. Started by alice.',
};
const OFF = {
  ...ANSWER,
  mode: 'plain',
  summary: 'PROXY protocol is off at instance ports 80=http 81=https of web; receivers are in plain. Started by alice.',
};

describe('of an enable', () => {
  test('it is written how the receivers were left, and nothing of how it was measured', async () => {
    const { ask, hold, state } = stage();
    hold({
      phase: 'measuring',
      mode: 'plain',
      trustedCidrs: '10.0.101.0/24',
      bothCommandId: 'c',
      measuringSince: '2026-11-20T23:59:10.000Z',
      followedSince: '2026-11-20T23:59:20.000Z',
      rounds: 4,
      verdict: 'final',
      measured: '2 of 2',
      assumed: '',
      remaining: '',
      displaced: BEGUN,
    });

    expect(await ask('Finish', ASKED)).toEqual(ANSWER);
    expect(state()).toEqual({
      ...BEGUN,
      phase: 'done',
      mode: 'proxy',
      trustedCidrs: '10.0.101.0/24',
      bothCommandId: 'c',
      measured: '2 of 2',
      assumed: '',
      remaining: '',
      settled: { mode: 'proxy', settings: FINGERPRINT },
    });
  });

  test.each<[string, Partial<SwitchState>, string, string]>([
    [
      'in both',
      {},
      'both',
      'PROXY protocol is on at instance ports 80=http 81=https of web; receivers are in both. Started by alice. Run the runbook again to make the receivers strict.',
    ],
    [
      'in proxy, with something assumed',
      { assumed: 'a node was silent' },
      'proxy',
      'PROXY protocol is on at instance ports 80=http 81=https of web; receivers are in proxy. Started by alice. Assumed: a node was silent.',
    ],
    [
      'in both, with something assumed, at no port',
      { assumed: 'a node was silent', instancePorts: '' },
      'both',
      'PROXY protocol is on at instance ports none of web; receivers are in both. Started by alice. Assumed: a node was silent. Run the runbook again to make the receivers strict.',
    ],
  ])('a person reads how it ended: %s', async (_desc, before, mode, summary) => {
    const { ask, hold } = stage();
    const { instancePorts, assumed = '' } = hold({ phase: 'measuring', ...before });

    expect(await ask('Finish', { ...ASKED, mode })).toEqual({ ...ANSWER, mode, instancePorts, assumed, summary });
  });
});

describe('of a disable', () => {
  const disabling = { phase: 'measuring', direction: 'disable' } as const;

  test.each<[string, string, string]>([
    ['a person’s own', 'console', ''],
    ['a person’s own, by name', 'console', 'console'],
    ['a stack’s own', 'stack-a/Switch', 'stack-a/Switch'],
  ])('by its owner the load balancer is forgotten: %s', async (_desc, owner, asker) => {
    const { ask, hold, state, changes } = stage();
    hold({ ...disabling, owner });

    expect(await ask('Finish', { ...ASKED, owner: asker, mode: 'plain' })).toEqual(OFF);
    expect(state()).toBeUndefined();
    // Deleting knows no version: behind a write, which does.
    expect(changes()).toEqual(['PutParameter /proxyflip/web', 'DeleteParameter /proxyflip/web']);
  });

  test.each<[string, Partial<SwitchState>, object]>([
    ['a person switches a stack’s off', { ...disabling, owner: 'stack-a/Switch' }, { mode: 'plain' }],
    ['a stack switches a person’s off', disabling, { mode: 'plain', owner: 'stack-a/Switch' }],
    ['receivers stay in both', disabling, { mode: 'both' }],
    ['it was an enable', { phase: 'measuring' }, { mode: 'plain' }],
  ])('it is remembered where %s', async (_desc, before, asked) => {
    const { ask, hold, state } = stage();
    hold(before);

    await ask('Finish', { ...ASKED, ...asked });

    expect(state()).toMatchObject({ phase: 'done' });
  });
});

describe('called again, since the first answer was lost', () => {
  test('it says the same of a switch that is remembered, and writes nothing', async () => {
    const { ask, hold, changes } = stage();
    hold({ phase: 'done', mode: 'proxy', assumed: 'a node was silent' });

    expect(await ask('Finish', ASKED)).toEqual({
      ...ANSWER,
      assumed: 'a node was silent',
      summary: `${ANSWER.summary} Assumed: a node was silent.`,
    });
    expect(changes()).toEqual([]);
  });

  test('it forgets what the first call had no time to forget', async () => {
    const { ask, hold, changes } = stage();
    hold({ phase: 'done', direction: 'disable', mode: 'plain' });

    expect(await ask('Finish', { ...ASKED, mode: 'plain' })).toEqual(OFF);
    expect(changes()).toEqual(['DeleteParameter /proxyflip/web']);
  });

  test('it says what it still knows of one that is forgotten', async () => {
    const { ask, changes } = stage();

    expect(await ask('Finish', { ...ASKED, mode: 'plain' })).toEqual({
      mode: 'plain',
      instancePorts: '',
      policyName: POLICY_NAME,
      assumed: '',
      summary:
        'PROXY protocol is off at instance ports none of web; receivers are in plain. Started by nobody known any more.',
    });
    expect(changes()).toEqual([]);
  });

  test.each<[string, Partial<SwitchState> | undefined, string]>([
    ['gone, though nothing deletes the state of an enable', undefined, 'proxy'],
    ['another’s, which has ended', { executionId: 'run-2', phase: 'done', direction: 'disable' }, 'plain'],
    ['undone', { phase: 'undone', direction: 'disable' }, 'plain'],
  ])('it writes nothing over a state that is %s', async (_desc, before, mode) => {
    const { ask, hold, changes } = stage();
    if (before !== undefined) hold(before);

    await expect(ask('Finish', { ...ASKED, mode })).rejects.toThrow('ERR_STATE_LOST');
    expect(changes()).toEqual([]);
  });
});
