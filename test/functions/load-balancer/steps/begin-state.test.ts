/** Who may take the state, what stands in it then, and what becomes of two that write at once. */
import { describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { FakeError, otherPolicy, proxyPolicy } from '../../fake-aws.ts';
import { request } from '../driver.ts';
import { BEGUN, SWITCHED_ON, stage } from './stage.ts';

const ASKED = request({});
const SETTLED = { mode: 'proxy', settings: 'abc' } as const;
/** As `run-1` writes it where there is nothing yet. */
const TAKEN: SwitchState = {
  version: 1,
  owner: 'console',
  executionId: 'run-1',
  startedBy: 'arn:aws:iam::111122223333:user/someone',
  direction: 'enable',
  phase: 'started',
  mode: 'plain',
  startedAt: '2026-11-21T00:00:00.000Z',
  instancePorts: '80=http 81=https',
  bothPorts: '80=http 81=https',
  policyName: POLICY_NAME,
  before: {},
  parameters: {},
};

describe('the state of the first run', () => {
  test('says who, what and when, in one write', async () => {
    const { ask, state, changes } = stage();

    await ask('Begin', ASKED);

    expect(state()).toEqual(TAKEN);
    expect(changes()).toEqual(['PutParameter /proxyflip/web']);
  });

  test('names the stack and who started it, where those are told', async () => {
    const { ask, state } = stage();

    await ask('Begin', { ...ASKED, owner: 'stack-a/Switch', startedBy: 'CloudFormation', direction: 'disable' });

    expect(state()).toEqual({
      ...TAKEN,
      owner: 'stack-a/Switch',
      startedBy: 'CloudFormation',
      direction: 'disable',
    });
  });

  test('keeps what the execution was started with, but for what is of one run or empty', async () => {
    const { aws, ask, state } = stage();
    aws.executions.set('run-1', {
      status: 'InProgress',
      parameters: {
        LoadBalancerName: ['web'],
        Direction: ['enable'],
        Owner: ['stack-a'],
        StartedBy: ['me'],
        PlanOnly: ['no'],
        FleetTagKey: ['fleet'],
        HealthPort: ['8078'],
        IncludePorts: [''],
        ExcludePorts: [],
      },
    });

    await ask('Begin', ASKED);

    expect(state()).toEqual({ ...TAKEN, parameters: { FleetTagKey: 'fleet', HealthPort: '8078' } });
  });

  test.each([
    ['policies that write no line', [otherPolicy('Other')], { 80: ['Other'] }, 'plain'],
    ['a policy that writes one, at one port', [proxyPolicy('theirs')], { 81: ['theirs'] }, 'both'],
    ['a policy that writes one, at every port', [proxyPolicy('theirs')], { 80: ['theirs'], 81: ['theirs'] }, 'both'],
  ])('goes back to what serves with %s', async (_desc, policies, backend, mode) => {
    const { ask, state } = stage({ policies, backend });

    await ask('Begin', ASKED);

    expect(state()).toEqual({ ...TAKEN, mode, before: backend });
  });

  test('has the ports that leave beside those that are served at the end', async () => {
    const { ask, state } = stage(SWITCHED_ON);

    await ask('Begin', { ...ASKED, excludePorts: '81' });

    expect(state()).toMatchObject({ instancePorts: '80=http', bothPorts: '80=http 81=https' });
  });
});

describe('the state behind another run', () => {
  const before = { 80: ['Old'] };
  const now = { policies: [otherPolicy('Other')], backend: { 81: ['Other'] } };

  test.each<[string, Partial<SwitchState>, Partial<SwitchState>]>([
    ['that ended well', { executionId: 'run-0', phase: 'done', mode: 'proxy' }, { mode: 'proxy', before: now.backend }],
    ['that was undone', { executionId: 'run-0', phase: 'undone', mode: 'both' }, { mode: 'both', before: now.backend }],
    ['that is this one, called again', { mode: 'proxy' }, { mode: 'proxy', before: now.backend }],
    // Where its receivers are nobody knows.
    ['that died while it looked', { executionId: 'run-0', mode: 'plain' }, { mode: 'both', before }],
    ['that died among the receivers', { executionId: 'run-0', phase: 'receivers' }, { mode: 'both', before }],
    ['that died among the policies', { executionId: 'run-0', phase: 'policies' }, { mode: 'both', before }],
    [
      'that died while it measured',
      { executionId: 'run-0', phase: 'measuring', mode: 'proxy' },
      { mode: 'both', before },
    ],
    ['that is this one, among the receivers', { phase: 'receivers', mode: 'proxy' }, { mode: 'both', before }],
  ])('%s', async (_desc, previous, expected) => {
    const { ask, hold, state } = stage(now);
    hold({ before, owner: 'stack-a/Switch', settled: SETTLED, ...previous });

    await ask('Begin', ASKED);

    const { displaced: _, ...taken } = state() as SwitchState;
    expect(taken).toEqual({ ...TAKEN, owner: 'stack-a/Switch', settled: SETTLED, ...expected });
  });

  const DONE: SwitchState = { ...BEGUN, executionId: 'run-0', phase: 'done', mode: 'proxy' };

  test.each<[string, Partial<SwitchState>, SwitchState | undefined]>([
    ['one that ended well', DONE, DONE],
    ['what that one had displaced', { executionId: 'run-9', displaced: DONE }, DONE],
    ['nothing of one that was undone', { executionId: 'run-0', phase: 'undone' }, undefined],
  ])('displaces %s', async (_desc, previous, displaced) => {
    const { ask, hold, state } = stage();
    hold(previous);

    await ask('Begin', ASKED);

    expect((state() as SwitchState).displaced).toEqual(displaced);
  });
});

describe('who may take it', () => {
  test.each([
    ['its owner', 'stack-a', 'stack-a', 'stack-a'],
    ['a person, for whoever owns it', 'stack-a', '', 'stack-a'],
    ['a stack, from a person', 'console', 'stack-a', 'stack-a'],
  ])('%s', async (_desc, owner, asker, becomes) => {
    const { ask, hold, state } = stage();
    hold({ executionId: 'run-0', phase: 'done', owner });

    await ask('Begin', { ...ASKED, owner: asker });

    expect(state()).toMatchObject({ executionId: 'run-1', owner: becomes });
  });

  test.each<[string, Partial<SwitchState>, string]>([
    [
      'another stack, though the load balancer is gone by now',
      { executionId: 'run-0', phase: 'done', owner: 'stack-b' },
      'ERR_OTHER_OWNER: web belongs to stack-b. Change it there; or delete it there with DeletionMode Retain, then run again.',
    ],
    [
      'its owner, while an execution is at work',
      { executionId: 'run-2', owner: 'stack-a' },
      'ERR_SWITCH_BUSY: execution run-2 (enable, started by alice at 2026-11-20T23:59:00.000Z) is still working on web. Wait until it has ended, or cancel it, then run again.',
    ],
  ])('but not %s', async (_desc, previous, message) => {
    const { aws, ask, hold, changes } = stage();
    aws.executions.set('run-2', { status: 'InProgress' });
    hold(previous);
    aws.loadBalancers.clear();

    await expect(ask('Begin', { ...ASKED, owner: 'stack-a' })).rejects.toHaveProperty('message', message);
    expect(changes()).toEqual([]);
  });
});

describe('two that write at once', () => {
  /** Before each write of ours, somebody else does this. */
  function racing(write: (set: ReturnType<typeof stage>, count: number) => void) {
    const set = stage();
    let count = 0;
    set.aws.fault = (action, when) => {
      if (action !== 'PutParameter' || when === 'after') return;
      count += 1;
      write(set, count);
    };
    return { ...set, attempts: () => count };
  }
  const theirs = (rounds: number): Partial<SwitchState> => ({
    executionId: 'run-0',
    phase: 'done',
    mode: 'proxy',
    rounds,
  });

  test('first: what another wrote and has ended is taken over, with what stands in it', async () => {
    const { ask, state } = racing(({ hold }, count) => {
      if (count === 1) hold(theirs(0));
    });

    await ask('Begin', ASKED);

    expect(state()).toEqual({ ...TAKEN, mode: 'proxy', displaced: { ...BEGUN, ...theirs(0) } });
  });

  test('first: what another wrote and is at work on is theirs', async () => {
    const { aws, ask, state } = racing(({ hold }) => void hold({ executionId: 'run-2' }));
    aws.executions.set('run-2', { status: 'InProgress' });

    await expect(ask('Begin', ASKED)).rejects.toThrow('ERR_SWITCH_BUSY: execution run-2');
    expect(state()).toMatchObject({ executionId: 'run-2' });
  });

  test('what another has deleted meanwhile is begun anew', async () => {
    const { aws, ask, hold, state } = racing(({ aws: { parameters } }, count) => {
      if (count === 1) parameters.clear();
    });
    hold(theirs(0));

    await ask('Begin', ASKED);

    expect(state()).toEqual(TAKEN);
    expect(aws.calls.filter(({ action }) => action === 'DeleteParameter')).toHaveLength(1);
  });

  test('what another writes again and again is given up behind the third look', async () => {
    const { ask, hold, state, attempts } = racing(({ hold: write }, count) => void write(theirs(count)));
    hold(theirs(0));

    await expect(ask('Begin', ASKED)).rejects.toThrow(
      'ERR_STATE_LOST: the parameter /proxyflip/web names execution run-0 in phase done: execution run-1 was cancelled',
    );
    // Each of ours, and what it had written over put back.
    expect(attempts()).toBe(6);
    expect(state()).toMatchObject({ executionId: 'run-0' });
  });

  test('is not what a service’s error means: that is told at once', async () => {
    const { ask } = racing((_set, count) => {
      if (count === 1) throw new FakeError('AccessDeniedException');
    });

    await expect(ask('Begin', ASKED)).rejects.toThrow('fake AccessDeniedException');
  });
});

describe('a step that goes on after its execution has ended', () => {
  test.each(['Cancelling', 'Cancelled', 'TimedOut', 'Failed'])('as %s gives back what it has taken', async (status) => {
    const { aws, ask, hold, state } = stage();
    const held = hold({ executionId: 'run-0', phase: 'done', mode: 'proxy' });
    aws.executions.set('run-1', { status });

    await expect(ask('Begin', ASKED)).rejects.toThrow(
      'ERR_STATE_LOST: the parameter /proxyflip/web is gone: execution run-1 was cancelled',
    );
    expect(state()).toEqual(held);
  });

  test('is none that is still under way', async () => {
    const { ask, state } = stage();

    await ask('Begin', ASKED);

    expect(state()).toMatchObject({ executionId: 'run-1' });
  });
});
