/** The policies are written port by port, each read back, and none behind an undo. */
import { describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { FakeError, otherPolicy, proxyPolicy } from '../../fake-aws.ts';
import { SWITCHED_ON, stage } from './stage.ts';

const ENABLE = { direction: 'enable' };
const SET = 'SetLoadBalancerPoliciesForBackendServer web';

/** The receivers are confirmed to be in `both`, by the command of that name. */
function prepared(given: Parameters<typeof stage>[0] = {}, state: Partial<SwitchState> = {}) {
  const set = stage(given);
  set.aws.answer('both', { 'i-1': { mode: 'both' }, 'i-2': { mode: 'both' } });
  set.hold({ phase: 'receivers', bothCommandId: 'both', ...state });
  return set;
}

describe('a switch', () => {
  test('on creates the policy and attaches it to each port, in the order of the ports, beside what was there', async () => {
    const { ask, changes, logged, state, web } = prepared({
      policies: [otherPolicy('Other')],
      backend: { 81: ['Other'], 443: ['Other'] },
    });

    expect(await ask('SetPolicies', ENABLE)).toEqual({ changed: ['80', '81'], policyName: POLICY_NAME });

    expect(changes()).toEqual([
      'PutParameter /proxyflip/web',
      'CreateLoadBalancerPolicy web',
      `${SET} 80 ${POLICY_NAME}`,
      `${SET} 81 Other,${POLICY_NAME}`,
    ]);
    expect(logged).toEqual([
      { message: 'set policies', loadBalancerName: 'web', instancePort: 80, policyNames: [POLICY_NAME] },
      { message: 'set policies', loadBalancerName: 'web', instancePort: 81, policyNames: ['Other', POLICY_NAME] },
    ]);
    expect(web.backend).toEqual({ 80: [POLICY_NAME], 81: ['Other', POLICY_NAME], 443: ['Other'] });
    expect(state()).toMatchObject({ phase: 'policies' });
  });

  test('off takes it from each port, and deletes it behind the last', async () => {
    const { ask, changes, web } = prepared(SWITCHED_ON);

    expect(await ask('SetPolicies', { direction: 'disable' })).toEqual({
      changed: ['80', '81'],
      policyName: POLICY_NAME,
    });

    expect(changes()).toEqual([
      'PutParameter /proxyflip/web',
      `${SET} 80 `,
      `${SET} 81 `,
      'DeleteLoadBalancerPolicy web',
    ]);
    expect(web).toMatchObject({ backend: {}, policies: [] });
  });

  test.each([
    { desc: 'on where ours is on', direction: 'enable', given: SWITCHED_ON },
    {
      desc: 'on where somebody else’s is',
      direction: 'enable',
      given: { policies: [proxyPolicy('theirs')], backend: { 80: ['theirs'], 81: ['theirs'] } },
    },
    { desc: 'off where none is', direction: 'disable', given: {} },
  ])('$desc writes nothing, not even that policies may have been touched', async ({ direction, given }) => {
    const { ask, changes, stateVersions } = prepared(given);

    expect(await ask('SetPolicies', { direction })).toEqual({ changed: [], policyName: POLICY_NAME });
    expect(changes()).toEqual([]);
    expect(stateVersions()).toBe(1);
  });

  test.each([
    [
      'a policy that nothing carries is deleted',
      'disable',
      { policies: SWITCHED_ON.policies },
      ['DeleteLoadBalancerPolicy web'],
    ],
    [
      'one port that lacks it gets it',
      'enable',
      { ...SWITCHED_ON, backend: { 80: [POLICY_NAME] } },
      [`${SET} 81 ${POLICY_NAME}`],
    ],
  ])('%s', async (_desc, direction, given, calls) => {
    const { ask, changes } = prepared(given);

    await ask('SetPolicies', { direction });

    expect(changes()).toEqual(['PutParameter /proxyflip/web', ...calls]);
  });

  test('whose policy cannot be created leaves the state as it was, so that an undo goes all the way back', async () => {
    const { aws, ask, changes, state } = prepared();
    const before = state();
    aws.fault = (action) => {
      if (action === 'CreateLoadBalancerPolicy') throw new FakeError('TooManyPoliciesException');
    };

    await expect(ask('SetPolicies', ENABLE)).rejects.toThrow('fake TooManyPoliciesException');

    expect(changes()).toEqual([
      'PutParameter /proxyflip/web',
      'CreateLoadBalancerPolicy web',
      'PutParameter /proxyflip/web',
    ]);
    expect(state()).toEqual(before);
  });
});

describe('receivers that are not prepared', () => {
  test('are named where no command was ever confirmed, and nobody is asked about a command without an id', async () => {
    const { aws, hold, ask, changes } = stage({ healthCheckTarget: 'HTTP:8078/healthz' });
    hold({ phase: 'receivers' });

    await expect(ask('SetPolicies', ENABLE)).rejects.toHaveProperty(
      'message',
      'ERR_RECEIVER: 2 of 2 instances did not come to receiver mode both. i-1: was registered meanwhile\ni-2: was registered meanwhile',
    );
    expect(changes()).toEqual([]);
    expect(aws.calls.map(({ action }) => action)).not.toContain('ListCommandInvocations');
  });

  test.each([
    ['TCP:80', 'i-2: answered mode "plain": some words\n{"mode":"plain"}\ni-3: was registered meanwhile', '2 of 3'],
    // Behind this health check it gets no connection before it has joined.
    ['HTTP:8078/healthz', 'i-2: answered mode "plain": some words\n{"mode":"plain"}', '1 of 3'],
  ])('are named, behind the health check %s', async (healthCheckTarget, words, count) => {
    const { aws, web, ask, changes } = prepared({ healthCheckTarget });
    aws.answer('both', { 'i-1': { mode: 'both' }, 'i-2': { mode: 'plain' } });
    web.instanceIds.push('i-3');

    await expect(ask('SetPolicies', ENABLE)).rejects.toHaveProperty(
      'message',
      `ERR_RECEIVER: ${count} instances did not come to receiver mode both. ${words}`,
    );
    expect(changes()).toEqual([]);
  });

  test('are none where one that came since joins before it gets a connection', async () => {
    const { web, ask } = prepared({ healthCheckTarget: 'HTTP:8078/healthz' });
    web.instanceIds.push('i-3');

    expect(await ask('SetPolicies', ENABLE)).toMatchObject({ changed: ['80', '81'] });
  });
});

describe('what is read back', () => {
  test.each([
    { desc: 'another beside it', found: [POLICY_NAME, 'Other'], says: `[${POLICY_NAME}, Other]` },
    { desc: 'nothing', found: undefined, says: '[]' },
    { desc: 'another in its place', found: ['Other'], says: '[Other]' },
  ])('is $desc: somebody else writes too, and the run stops at this port', async ({ found, says }) => {
    const { aws, ask, changes, web } = prepared({ policies: [otherPolicy('Other')] });
    aws.fault = (action, when) => {
      if (when === 'before' || !SET.startsWith(action)) return;
      if (found === undefined) delete web.backend[80];
      else web.backend[80] = found;
    };

    await expect(ask('SetPolicies', ENABLE)).rejects.toMatchObject({
      code: 'ERR_POLICY_READ_BACK',
      message: `ERR_POLICY_READ_BACK: instance port 80 was given the policies [${POLICY_NAME}] and has ${says}. Somebody else writes them too: find out who (CloudTrail, SetLoadBalancerPoliciesForBackendServer), then run again.`,
    });
    expect(changes().at(-1)).toBe(`${SET} 80 ${POLICY_NAME}`);
  });

  test('names both lists in full', async () => {
    const { aws, ask, web } = prepared({ policies: [otherPolicy('A'), otherPolicy('B')], backend: { 80: ['A', 'B'] } });
    aws.fault = (action, when) => {
      if (when === 'after' && SET.startsWith(action)) web.backend[80] = ['A', 'B'];
    };

    await expect(ask('SetPolicies', ENABLE)).rejects.toThrow(
      `instance port 80 was given the policies [A, B, ${POLICY_NAME}] and has [A, B].`,
    );
  });

  test('in another order is the same', async () => {
    const { aws, ask, web } = prepared({ policies: [otherPolicy('Other')], backend: { 80: ['Other'] } });
    aws.fault = (action, when) => {
      if (when === 'after' && SET.startsWith(action)) web.backend[80]?.reverse();
    };

    expect(await ask('SetPolicies', ENABLE)).toMatchObject({ changed: ['80', '81'] });
  });
});

describe('a step that goes on after its execution was cancelled', () => {
  test.each([
    { desc: 'was undone', becomes: { phase: 'undone' }, says: 'names execution run-1 in phase undone' },
    {
      desc: 'was taken over',
      becomes: { phase: 'policies', executionId: 'run-2' },
      says: 'names execution run-2 in phase policies',
    },
    { desc: 'was forgotten', becomes: undefined, says: 'is gone' },
  ] as const)('stops behind the port that it is at when the state $desc', async ({ becomes, says }) => {
    const { aws, ask, changes, hold } = prepared(SWITCHED_ON);
    aws.fault = (action, when) => {
      if (when === 'before' || !SET.startsWith(action)) return;
      if (becomes === undefined) aws.parameters.clear();
      else hold(becomes);
    };

    await expect(ask('SetPolicies', { direction: 'disable' })).rejects.toThrow(
      `ERR_STATE_LOST: the parameter /proxyflip/web ${says}: execution run-1 was cancelled`,
    );
    expect(changes()).toEqual(['PutParameter /proxyflip/web', `${SET} 80 `]);
  });

  test('does not delete the policy', async () => {
    const { aws, ask, changes, hold } = prepared({ policies: SWITCHED_ON.policies });
    aws.fault = (action, when) => {
      if (action === 'PutParameter' && when === 'after') hold({ phase: 'undone' });
    };

    await expect(ask('SetPolicies', { direction: 'disable' })).rejects.toThrow('ERR_STATE_LOST');
    expect(changes()).toEqual(['PutParameter /proxyflip/web']);
  });
});
