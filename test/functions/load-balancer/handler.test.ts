import { beforeEach, describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { FakeAws, type FakeLoadBalancer, proxyPolicy, tcp } from '../fake-aws.ts';
import { newFleet, type Receivers, request, runSwitch, stepsOf } from './driver.ts';

const STATE = '/proxyflip/web';
let aws: FakeAws;
let web: FakeLoadBalancer;
let receivers: Receivers;

beforeEach(() => {
  ({ aws, web, receivers } = newFleet());
});

describe('enable', () => {
  test('prepares the receivers, attaches the policy, measures, and makes them strict, in this order', async () => {
    const { trace, finished } = await runSwitch(aws, receivers);

    expect(trace).toEqual([
      'Begin',
      'Plan',
      'Compare',
      'AcceptBoth both',
      'ConfirmReceivers',
      'SetPolicies',
      'Judge',
      'Conclude',
      'FinalMode proxy',
      'ConfirmReceivers',
      'Finish',
    ]);
    expect(web.backend).toEqual({ 80: [POLICY_NAME], 81: [POLICY_NAME] });
    expect(finished).toMatchObject({
      mode: 'proxy',
      instancePorts: '80=http 81=https',
      policyName: POLICY_NAME,
      assumed: '',
    });
    expect(aws.parameter(STATE)).toMatchObject({
      phase: 'done',
      mode: 'proxy',
      owner: 'console',
      startedBy: 'arn:aws:iam::111122223333:user/someone',
    });
  });

  test.each(['enable', 'disable'] as const)(
    '%s: Finish gives the same answer when it is called again',
    async (direction) => {
      if (direction === 'disable') await runSwitch(aws, receivers, { executionId: 'run-0' });
      const { planned, finished } = await runSwitch(aws, receivers, { direction });
      const again = {
        loadBalancerName: 'web',
        executionId: 'run-1',
        owner: '',
        mode: finished?.mode,
        settings: `${planned?.instancePorts} ${planned?.trustedCidrs}`,
      };
      const { mode, summary } = await stepsOf(aws)('Finish', again);
      expect(mode).toBe(finished?.mode);
      // Of a load balancer that is forgotten it cannot say more than that.
      expect(summary).toContain(direction === 'enable' ? finished?.summary : 'PROXY protocol is off');
      await expect(stepsOf(aws)('Finish', { ...again, executionId: 'run-9', mode: 'proxy' })).rejects.toThrow(
        'ERR_STATE_LOST',
      );
    },
  );

  test('makes one policy and one attachment a port', async () => {
    await runSwitch(aws, receivers);
    expect(aws.writes).toEqual([
      'CreateLoadBalancerPolicy',
      'SetLoadBalancerPoliciesForBackendServer',
      'SetLoadBalancerPoliciesForBackendServer',
    ]);
  });

  test('on what is already so it writes nothing and asks no receiver to change', async () => {
    await runSwitch(aws, receivers);
    const { length } = aws.writes;
    const { trace, finished } = await runSwitch(aws, receivers, { executionId: 'run-2' });
    expect(trace).toEqual(['Begin', 'Plan', 'Compare', 'Finish']);
    expect(finished).toMatchObject({ mode: 'proxy' });
    expect(aws.writes).toHaveLength(length);
  });

  test('a receiver whose files or programs are not as they were left is switched again', async () => {
    await runSwitch(aws, receivers);
    const { trace } = await runSwitch(aws, receivers, { executionId: 'run-2', tampered: ['i-2'] });
    expect(trace).toContain('AcceptBoth both');
  });

  test('a receiver that is not what it was is switched again', async () => {
    await runSwitch(aws, receivers);
    receivers.set('i-2', 'plain');
    const { trace } = await runSwitch(aws, receivers, { executionId: 'run-2' });
    expect(trace).toContain('AcceptBoth both');
    expect([...receivers.values()]).toEqual(['proxy', 'proxy']);
  });

  test('a listener that went leaves its port without our policy', async () => {
    await runSwitch(aws, receivers);
    web.listeners = [tcp(80, 80)];
    await runSwitch(aws, receivers, { executionId: 'run-2' });
    expect(web.backend).toEqual({ 80: [POLICY_NAME] });
  });

  test('FinalMode both is kept', async () => {
    const { finished } = await runSwitch(aws, receivers, { request: { finalMode: 'both' } });
    expect(finished).toMatchObject({ mode: 'both', summary: expect.stringContaining('Run the runbook again') });
  });

  test('a plan changes nothing, not even the state parameter', async () => {
    const { planned, compared } = await runSwitch(aws, receivers, { request: { planOnly: 'yes' } });
    expect(planned?.policyChanges).toBe(
      `create policy ${POLICY_NAME}; instance port 80: [${POLICY_NAME}]; instance port 81: [${POLICY_NAME}]`,
    );
    expect(compared).toMatchObject({ already: 'no', receivers: 'i-1: not installed, i-2: not installed' });
    expect(aws.calls.map(({ action }) => action).filter((action) => !/^(Describe|Get|List)/.test(action))).toEqual([]);
  });
});

describe('disable', () => {
  test('is the mirror, forgets the load balancer, and deletes our policy', async () => {
    await runSwitch(aws, receivers);
    const { trace, finished } = await runSwitch(aws, receivers, { direction: 'disable', executionId: 'run-2' });
    expect(trace).toContain('FinalMode plain');
    expect(finished).toMatchObject({ mode: 'plain' });
    expect(web).toMatchObject({ backend: {}, policies: [] });
    expect(aws.parameter(STATE)).toBeUndefined();
  });

  test('where nothing is on it writes nothing', async () => {
    receivers = new Map([
      ['i-1', 'plain'],
      ['i-2', 'plain'],
    ]);
    const { trace } = await runSwitch(aws, receivers, { direction: 'disable' });
    expect(trace).toEqual(['Begin', 'Plan', 'Compare', 'Finish']);
    expect(aws.writes).toEqual([]);
  });

  test('a foreign policy stays on, and receivers that must then serve both kinds stay in both', async () => {
    web.policies.push(proxyPolicy('theirs'));
    web.backend[80] = ['theirs'];
    await runSwitch(aws, receivers);
    const { concluded } = await runSwitch(aws, receivers, { direction: 'disable', executionId: 'run-2' });
    // Port 80 still gets the PROXY line, as the receivers were seen to count it in this test they wait; the mode is what matters.
    expect(web.backend).toEqual({ 80: ['theirs'] });
    expect(concluded?.mode).toBe('both');
  });

  test('a stack’s load balancer that a person switches off stays the stack’s', async () => {
    await runSwitch(aws, receivers, { owner: 'stack-a' });
    await runSwitch(aws, receivers, { direction: 'disable', executionId: 'run-2' });
    expect(aws.parameter(STATE)).toMatchObject({ owner: 'stack-a', mode: 'plain', phase: 'done' });
  });

  test('a load balancer that is gone ends well and is forgotten', async () => {
    await runSwitch(aws, receivers);
    aws.loadBalancers.clear();
    const { finished } = await runSwitch(aws, receivers, { direction: 'disable', executionId: 'run-2' });
    expect(finished).toEqual({
      Payload: expect.anything(),
      summary: 'web does not exist any more and is forgotten; the receivers were left as they are.',
    });
    expect(aws.parameter(STATE)).toBeUndefined();
  });
});

describe('lock', () => {
  test('a second run is refused while the first is at work, with who and since when', async () => {
    await stepsOf(aws)('Begin', request({ request: { startedBy: 'alice' } }));
    aws.executions.set('run-1', { status: 'InProgress' });
    const { error } = await runSwitch(aws, receivers, { executionId: 'run-2' });
    expect(error?.message).toMatch(/ERR_SWITCH_BUSY: execution run-1 \(enable, started by alice at 2026-11-21T/);
    expect(aws.parameter(STATE)).toMatchObject({ executionId: 'run-1', phase: 'started' });
  });

  test.each(['Success', 'Failed', 'Cancelled', 'TimedOut'])(
    'is taken over from an execution that ended in %s',
    async (status) => {
      await stepsOf(aws)('Begin', request({ request: { startedBy: 'alice' } }));
      aws.executions.set('run-1', { status });
      expect((await runSwitch(aws, receivers, { executionId: 'run-2' })).finished).toMatchObject({ mode: 'proxy' });
    },
  );

  test('is taken over from an execution that Systems Manager has forgotten', async () => {
    await stepsOf(aws)('Begin', request({ request: { startedBy: 'alice' } }));
    aws.executions.delete('run-1');
    expect((await runSwitch(aws, receivers, { executionId: 'run-2' })).finished).toMatchObject({ mode: 'proxy' });
  });

  test('another stack is refused by name, and nothing is changed', async () => {
    await runSwitch(aws, receivers, { owner: 'stack-a' });
    const before = structuredClone(web);
    const { error } = await runSwitch(aws, receivers, { owner: 'stack-b', executionId: 'run-2', direction: 'disable' });
    expect(error?.message).toMatch(/ERR_OTHER_OWNER: web belongs to stack-a/);
    expect(web).toEqual(before);
  });

  test('of two that take over at once one gives up, and puts back what the other wrote', async () => {
    await runSwitch(aws, receivers);
    const versions = aws.parameters.get(STATE) ?? [];
    const theirs = JSON.stringify({ ...JSON.parse(versions.at(-1) ?? ''), executionId: 'run-9', startedBy: 'bob' });
    aws.executions.set('run-9', { status: 'InProgress' });
    aws.fault = (action, when) => {
      // Between our read and our write.
      if (action === 'PutParameter' && when === 'before' && versions.at(-1) !== theirs) versions.push(theirs);
      aws.fault = action === 'PutParameter' ? undefined : aws.fault;
    };
    aws.executions.set('run-2', { status: 'InProgress' });
    const begin = stepsOf(aws)('Begin', request({ executionId: 'run-2' }));
    await expect(begin).rejects.toThrow(/ERR_SWITCH_BUSY: execution run-9 .*bob/);
    expect(aws.parameter(STATE)).toMatchObject({ executionId: 'run-9' });
  });

  test('a step whose state another holds writes nothing', async () => {
    await runSwitch(aws, receivers);
    const { length } = aws.writes;
    await expect(
      stepsOf(aws)('SetPolicies', { loadBalancerName: 'web', executionId: 'run-0', direction: 'disable' }),
    ).rejects.toThrow(
      /ERR_STATE_LOST.*names execution run-1 in phase done: execution run-0 was cancelled or taken over/,
    );
    expect(aws.writes).toHaveLength(length);
  });
});

describe('undo', () => {
  test('before a policy was touched, receivers go back to what they were', async () => {
    receivers = new Map([
      ['i-1', 'plain'],
      ['i-2', 'plain'],
    ]);
    const { undone } = await runSwitch(aws, receivers, {
      before: (step) => {
        if (step === 'SetPolicies') throw new Error('cancelled');
      },
    });
    expect(undone).toMatchObject({
      restore: 'yes',
      mode: 'plain',
      trustedCidrs: '10.0.101.0/24',
      instancePorts: '80=http 81=https',
    });
    expect([...receivers.values()]).toEqual(['plain', 'plain']);
    expect(aws.parameter(STATE)).toBeUndefined();
  });

  test('after it, receivers serve both, and the summary says what to run', async () => {
    const { undone } = await runSwitch(aws, receivers, {
      before: (step) => {
        if (step === 'FinalMode') throw new Error('cancelled');
      },
    });
    expect(undone).toMatchObject({ restore: 'yes', mode: 'both' });
    expect(undone?.summary).toMatch(
      /policies may have been changed.*receivers go to both.*Direction enable to finish, or with disable to go back.*All 2 registered instances are in both/s,
    );
    expect([...receivers.values()]).toEqual(['both', 'both']);
  });

  test.each(['Plan', 'Compare'])('a run that stops at %s leaves what the one before it has written', async (stopAt) => {
    await runSwitch(aws, receivers);
    const before = aws.parameter(STATE);
    const { undone } = await runSwitch(aws, receivers, {
      direction: 'disable',
      executionId: 'run-2',
      before: (step) => {
        if (step === stopAt) throw new Error('refused');
      },
    });
    expect(undone).toMatchObject({ restore: 'no' });
    expect(aws.parameter(STATE)).toEqual(before);
    // And of one that went on nothing of it is left.
    await runSwitch(aws, receivers, { direction: 'disable', executionId: 'run-3', owner: 'somebody/else' });
    await runSwitch(aws, receivers, { executionId: 'run-4' });
    expect(aws.parameter(STATE)).not.toHaveProperty('displaced');
  });

  test('a stop at any step leaves receivers and policies that agree, and the next run completes', async () => {
    const steps = [
      'Begin',
      'Plan',
      'Compare',
      'AcceptBoth',
      'ConfirmReceivers',
      'SetPolicies',
      'Judge',
      'Conclude',
      'FinalMode',
      'Finish',
    ];
    for (const direction of ['enable', 'disable'] as const) {
      for (const stopAt of steps) {
        const own = new FakeAws();
        const lb = own.addLoadBalancer('web', { instanceIds: [own.addInstance('i-1')] });
        const fleet: Receivers = new Map([['i-1', 'plain']]);
        if (direction === 'disable') await runSwitch(own, fleet, { executionId: 'run-0' });
        await runSwitch(own, fleet, {
          direction,
          before: (step) => {
            if (step === stopAt) throw new Error(`stopped at ${stopAt}`);
          },
        });
        const mode = fleet.get('i-1');
        const on = lb.backend[80] !== undefined;
        expect([direction, stopAt, mode === 'both' || mode === (on ? 'proxy' : 'plain')]).toEqual([
          direction,
          stopAt,
          true,
        ]);

        await runSwitch(own, fleet, { direction, executionId: 'run-2' });
        expect([direction, stopAt, fleet.get('i-1'), lb.backend]).toEqual(
          direction === 'enable'
            ? [direction, stopAt, 'proxy', { 80: [POLICY_NAME], 81: [POLICY_NAME] }]
            : [direction, stopAt, 'plain', {}],
        );
      }
    }
  });

  test('twice gives the same', async () => {
    const step = stepsOf(aws);
    await step('Begin', request({ request: { startedBy: 'alice' } }));
    const held = { loadBalancerName: 'web', executionId: 'run-1' };
    expect(await step('Undo', held)).toMatchObject({ restore: 'no' });
    expect(await step('Undo', held)).toMatchObject({ restore: 'no' });
    expect(aws.parameter(STATE)).toBeUndefined();
  });
});

describe('a step that goes on after its execution was cancelled, since a Lambda invocation cannot be ended', () => {
  const held = { loadBalancerName: 'web', executionId: 'run-1' };

  /** Everything up to SetPolicies; then the undo happens right before the n-th call of it. */
  async function setPoliciesWithUndoBeforeCall(n: number) {
    const step = stepsOf(aws);
    aws.executions.set('run-1', { status: 'InProgress' });
    await step('Begin', request({}));
    const instances = web.instanceIds;
    aws.answer('status', Object.fromEntries(instances.map((id) => [id, { mode: 'plain' }])));
    await step('Compare', {
      ...held,
      direction: 'enable',
      commandId: 'status',
      instancePorts: '80=http 81=https',
      finalMode: 'proxy',
      trustedCidrs: '',
      settings: '',
      planOnly: 'no',
    });
    aws.answer('both', Object.fromEntries(instances.map((id) => [id, { mode: 'both' }])));
    await step('ConfirmReceivers', { ...held, commandId: 'both', mode: 'both' });
    let calls = 0;
    let undone: Record<string, unknown> | undefined;
    aws.meanwhile = async () => {
      if (calls++ !== n) return;
      aws.meanwhile = undefined;
      undone = await step('Undo', held);
    };
    await step('SetPolicies', { ...held, direction: 'enable' }).catch(() => {});
    aws.meanwhile = undefined;
    return { undone, isOn: Object.keys(web.backend).length > 0 };
  }

  test.each([
    { desc: 'before it looks', at: 'GetParameter' },
    { desc: 'between its look and its write', at: 'PutParameter' },
  ])('Begin does not keep the lock where the undo has come $desc', async ({ at }) => {
    const step = stepsOf(aws);
    aws.executions.set('run-1', { status: 'InProgress' });
    aws.meanwhile = async (action) => {
      if (action !== at) return;
      aws.meanwhile = undefined;
      aws.executions.set('run-1', { status: 'Cancelling' });
      expect(await step('Undo', held)).toMatchObject({ restore: 'no' });
    };
    await expect(step('Begin', request({ owner: 'stack-1/Switch' }))).rejects.toThrow('ERR_STATE_LOST');
    expect(aws.parameter(STATE)).toBeUndefined();
  });

  test('never sets a policy behind an undo that sent the receivers back to plain', async () => {
    const seen = new Set<string>();
    for (let n = 0; n < 25; n += 1) {
      aws = new FakeAws();
      web = aws.addLoadBalancer('web', { instanceIds: [aws.addInstance('i-1')] });
      const { undone, isOn } = await setPoliciesWithUndoBeforeCall(n);
      if (undone === undefined) continue;
      seen.add(String(undone.mode));
      expect([n, undone.mode === 'both' || !isOn]).toEqual([n, true]);
      expect([n, aws.parameter(STATE)]).toEqual([n, expect.objectContaining({ phase: 'undone', mode: undone.mode })]);
    }
    expect([...seen].sort()).toEqual(['both', 'plain']);
  });

  test('a write whose answer was lost, and which the SDK repeats, is its own and no conflict', async () => {
    const step = stepsOf(aws);
    aws.executions.set('run-1', { status: 'InProgress' });
    await step('Begin', request({}));
    let repeated = false;
    aws.fault = (action, when) => {
      const versions = aws.parameters.get(STATE);
      if (action !== 'PutParameter' || when !== 'after' || repeated || versions === undefined) return;
      repeated = true;
      versions.push(versions.at(-1) ?? '');
    };
    const { finished } = await runSwitch(aws, receivers);
    expect(finished).toMatchObject({ mode: 'proxy' });
  });
});
