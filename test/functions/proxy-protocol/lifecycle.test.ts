/** Create, Update and Delete, from the event to the answer. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { createHandler } from '../../../functions/proxy-protocol/handler.ts';
import { MINUTE, Play, STATE, SUCCESS } from './driver.ts';
import { createEvent, deleteEvent, ID, OWNER, updateEvent } from './events.ts';

let play: Play;

beforeEach(() => {
  play = new Play();
});

describe('Create', () => {
  test('runs the runbook once and gives what it found out', async () => {
    await play.deliver(createEvent());
    expect(play.answers).toMatchObject([
      {
        Status: 'SUCCESS',
        PhysicalResourceId: ID,
        Reason: 'PROXY protocol is on.',
        Data: {
          InstancePorts: '80=http 81=https',
          PolicyName: 'proxyflip-proxy-protocol',
          ReceiverMode: 'proxy',
          ExecutionId: 'execution-1',
          Assumed: 'nothing',
        },
      },
    ]);
    // Nobody is asked for a run before this one, which there is none of.
    expect(play.aws.calls.slice(0, 4).map(({ action }) => action)).toEqual([
      'GetParameter',
      'PutParameter',
      'GetParameter',
      'StartAutomationExecution',
    ]);
    expect(play.aws.executions.get('execution-1')?.parameters).toMatchObject({
      Direction: ['enable'],
      Owner: [OWNER],
      StartedBy: [expect.stringMatching(/^arn:aws:cloudformation:.*:stack\/fleet\/\S+ [0-9a-f]{16}$/)],
      LoadBalancerName: ['web'],
      FleetWaitSeconds: ['600'],
    });
  });

  test('tells what the run warns of, and what it assumed', async () => {
    play.runbook.ends = {
      status: 'Success',
      outputs: {
        ...SUCCESS.outputs,
        'Finish.mode': ['both'],
        'Finish.assumed': ['has the policy, though nothing came from it'],
        'Conclude.warning': ['Receivers stay in both: blue shares instances.'],
      },
    };
    await play.deliver(createEvent());
    expect(play.answers).toMatchObject([
      {
        Status: 'SUCCESS',
        Reason: 'PROXY protocol is on. Receivers stay in both: blue shares instances.',
        Data: { ReceiverMode: 'both', Assumed: 'has the policy, though nothing came from it' },
      },
    ]);
  });

  test('of a load balancer that is switched already tells what the run has found', async () => {
    play.runbook.ends = {
      status: 'Success',
      outputs: {
        'FinishUnchanged.mode': ['proxy'],
        'FinishUnchanged.instancePorts': ['80=http'],
        'FinishUnchanged.policyName': ['theirs'],
        'FinishUnchanged.assumed': [''],
        'FinishUnchanged.summary': ['All is as it should be.'],
      },
    };
    await play.deliver(createEvent());
    expect(play.answers).toMatchObject([
      {
        Status: 'SUCCESS',
        Reason: 'All is as it should be.',
        Data: {
          InstancePorts: '80=http',
          PolicyName: 'theirs',
          ReceiverMode: 'proxy',
          ExecutionId: 'execution-1',
          Assumed: 'nothing',
        },
      },
    ]);
  });

  test('passes nothing to the runbook that it does not know', async () => {
    await play.deliver(createEvent());
    const names = Object.keys(play.aws.executions.get('execution-1')?.parameters ?? {});
    for (const name of ['ServiceToken', 'ServiceTimeout', 'DeletionMode']) expect(names).not.toContain(name);
  });

  test('waits past Lambda’s 15 minutes by invoking itself, and answers once', async () => {
    play.runbook.durationMs = 40 * MINUTE;
    await play.deliver(createEvent());
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(play.aws.calls.filter(({ action }) => action === 'Invoke')).toHaveLength(2);
    expect(play.aws.started).toBe(1);
  });

  test('answers before ServiceTimeout where the run does not end, with the phase and what to look at', async () => {
    play.runbook.durationMs = Number.POSITIVE_INFINITY;
    const from = play.aws.now;
    await play.deliver(createEvent());
    expect(play.answers).toHaveLength(1);
    expect(play.answers[0]).toMatchObject({ Status: 'FAILED', PhysicalResourceId: ID });
    expect(play.answers[0]?.Reason).toMatch(/ERR_OUT_OF_TIME.*execution-1.*Automation/s);
    expect(play.aws.now - from).toBeLessThan(60 * MINUTE);
    expect(play.aws.now - from).toBeGreaterThan(55 * MINUTE);
  });

  test('a short ServiceTimeout is kept too', async () => {
    play.runbook.durationMs = Number.POSITIVE_INFINITY;
    const from = play.aws.now;
    await play.deliver(createEvent({ properties: { ServiceTimeout: '60' } }));
    expect(play.answers).toMatchObject([{ Status: 'FAILED' }]);
    expect(play.aws.now - from).toBeLessThan(MINUTE);
  });

  test('a failed run gives the step, why, and how things are now', async () => {
    play.runbook.ends = {
      status: 'Failed',
      steps: [
        { StepName: 'Survey', StepStatus: 'Failed', FailureMessage: 'got over', IsCritical: false },
        { StepName: 'Begin', StepStatus: 'Failed', FailureMessage: 'ERR_HEALTH_CHECK: the health check …' },
      ],
      outputs: { 'Undo.summary': ['Nothing was changed by this execution.'] },
    };
    await play.deliver(createEvent());
    expect(play.answers[0]?.Reason).toMatch(
      /ended in Failed at step Begin: ERR_HEALTH_CHECK.*Nothing was changed.*execution-1/s,
    );
  });

  test('a bad property is answered at once, and starts nothing', async () => {
    await play.deliver(createEvent({ properties: { FinalMode: 'plain' } }));
    expect(play.answers).toMatchObject([{ Status: 'FAILED', Reason: expect.stringContaining('FinalMode is "plain"') }]);
    expect(play.aws.started).toBe(0);
  });

  test('delivered twice, it starts once, and both deliveries answer the same', async () => {
    await play.deliver(createEvent());
    await play.deliver(createEvent());
    expect(play.aws.started).toBe(1);
    expect(play.answers[1]).toEqual(play.answers[0]);
  });

  test('a RequestId that is given again to another deployment is another request', async () => {
    play.runbook.ends = { status: 'Failed' };
    await play.deliver(createEvent({ request: '1' }));
    play.runbook.ends = SUCCESS;
    await play.deliver(createEvent({ request: '2' }));
    expect(play.answers.map((each) => each.Status)).toEqual(['FAILED', 'SUCCESS']);
    expect(play.aws.started).toBe(2);
  });

  test('an answer that is not taken at first does not lead to a second run', async () => {
    const handler = createHandler({
      ...play.deps,
      fetch: (async () => new Response(null, { status: 500 })) as typeof fetch,
    });
    await expect(
      handler(createEvent(), { functionName: 'f', getRemainingTimeInMillis: () => 15 * MINUTE }),
    ).rejects.toThrow('ERR_ANSWER_NOT_TAKEN');
    await play.deliver(createEvent());
    expect(play.aws.started).toBe(1);
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
  });
});

describe('a function that is killed before or after any call, and invoked again', () => {
  class Killed extends Error {}

  test.each(['Create', 'Delete'] as const)('%s: one run, one answer', async (type) => {
    for (const when of ['before', 'after'] as const) {
      for (let call = 0; call < 12; call += 1) {
        play = new Play();
        const { aws: fresh, answers } = play;
        fresh.onSleep = () => {
          for (const execution of fresh.executions.values()) {
            if (execution.status !== 'InProgress') continue;
            Object.assign(execution, SUCCESS);
            // As the runbook's Finish does after a disable by the owner.
            if (execution.parameters?.Direction?.[0] === 'disable') fresh.parameters.delete(STATE);
          }
        };
        const event = type === 'Create' ? createEvent() : deleteEvent();
        if (type === 'Delete') play.setState({ executionId: 'long-gone' });
        // The runbook takes the lock as soon as it runs.
        let killed = false;
        let count = 0;
        fresh.fault = (action, at) => {
          if (action === 'StartAutomationExecution' && at === 'after') {
            play.setState({
              executionId: `execution-${fresh.started}`,
              startedBy: fresh.executions.get(`execution-${fresh.started}`)?.parameters?.StartedBy?.[0],
            });
          }
          if (at === when && !killed && count++ === call) {
            killed = true;
            throw new Killed();
          }
        };
        // A kill ends the process: nothing after it runs, no answer either.
        const handler = createHandler({
          ...play.deps,
          fetch: (async (url: string, init: RequestInit) => {
            if (
              killed &&
              answers.length === 0 &&
              JSON.parse(new TextDecoder().decode(init.body as Uint8Array)).Reason.includes('Killed')
            )
              throw new Killed();
            return play.deps.fetch(url, init);
          }) as typeof fetch,
        });
        const context = { functionName: 'f', getRemainingTimeInMillis: () => 15 * MINUTE };
        await handler(event, context).catch(() => {});
        if (killed && answers.some((each) => each.Status === 'FAILED')) answers.length = 0;
        if (answers.length === 0) await handler(event, context);
        expect([when, call, answers.map((each) => each.Status), fresh.started]).toEqual([when, call, ['SUCCESS'], 1]);
      }
    }
  });
});

describe('Update', () => {
  test('of the same load balancer keeps the physical id', async () => {
    await play.deliver(updateEvent({ properties: { ExcludePorts: '22,81' } }));
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: ID }]);
    expect(play.directions).toEqual(['enable']);
  });

  test('to another load balancer has another id, and leaves the former to its own Delete', async () => {
    await play.deliver(updateEvent({ properties: { LoadBalancerName: 'blue' }, old: {} }));
    expect(play.answers[0]?.PhysicalResourceId).toMatch(/loadbalancer\/blue$/);
    expect([...play.aws.executions.values()].map((each) => each.parameters?.LoadBalancerName)).toEqual([['blue']]);
  });

  test('a rollback, with Old and New swapped, is an Update like any other', async () => {
    play.runbook.ends = { status: 'Failed' };
    await play.deliver(updateEvent({ request: '1', properties: { LoadBalancerName: 'blue' } }));
    play.runbook.ends = SUCCESS;
    await play.deliver(updateEvent({ request: '2', old: { LoadBalancerName: 'blue' } }));
    expect(play.answers.map((each) => [each.Status, each.PhysicalResourceId.split('/')[1]])).toEqual([
      ['FAILED', 'blue'],
      ['SUCCESS', 'web'],
    ]);
  });

  test('waits for a person’s run on the same load balancer', async () => {
    play.aws.executions.set('by-hand', { status: 'InProgress' });
    play.setState({ owner: 'console', executionId: 'by-hand', phase: 'measuring' });
    await play.deliver(updateEvent());
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(play.aws.executions.get('by-hand')?.status).toBe('Success');
  });

  test('that loses the race for the lock waits and starts again, with a client token of its own', async () => {
    play.runbook.ends = {
      status: 'Failed',
      steps: [{ StepName: 'Begin', StepStatus: 'Failed', FailureMessage: 'ERR_SWITCH_BUSY: execution x' }],
    };
    const onSleep = play.aws.onSleep;
    play.aws.onSleep = (ms) => {
      onSleep?.(ms);
      if (play.aws.executions.get('execution-1')?.status === 'Failed') play.runbook.ends = SUCCESS;
    };
    await play.deliver(updateEvent());
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
    const tokens = play.aws.calls
      .filter(({ action }) => action === 'StartAutomationExecution')
      .map(({ input }) => input.ClientToken);
    expect(new Set(tokens).size).toBe(2);
  });
});

describe('Delete', () => {
  test('switches off, and forgets its requests', async () => {
    play.setState();
    await play.deliver(deleteEvent());
    expect(play.directions).toEqual(['disable']);
    expect(play.aws.executions.get('execution-1')?.parameters).toMatchObject({ FleetWaitSeconds: ['0'] });
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: ID }]);
    expect(play.remembered).toEqual([]);
  });

  test('has forgotten its requests when it answers: from then on CloudFormation takes its role away', async () => {
    play.setState();
    let atAnswer: string[] | undefined;
    play.onAnswer = () => {
      atAnswer = play.remembered;
    };
    await play.deliver(deleteEvent());
    expect(atAnswer).toEqual([]);
  });

  test.each(['Finish.summary', 'FinishUnchanged.summary', 'ForgetLoadBalancer.summary'])(
    'tells how it went, by the step that came last: %s',
    async (output) => {
      play.setState();
      play.runbook.ends = {
        status: 'Success',
        outputs: {
          'Finish.summary': ['No output available yet because the step is not successfully executed'],
          [output]: ['PROXY protocol is off.'],
        },
      };
      await play.deliver(deleteEvent());
      expect(play.answers).toMatchObject([{ Status: 'SUCCESS', Reason: 'PROXY protocol is off.' }]);
    },
  );

  test.each([
    ['web', 'web is not switched by anyone.'],
    [undefined, 'Nothing was made.'],
    ['', 'Nothing was made.'],
    ['!web', 'Nothing was made.'],
    ['web!', 'Nothing was made.'],
    [['web'], 'Nothing was made.'],
  ])('after a Create that never made anything, with the name %j, does nothing', async (LoadBalancerName, Reason) => {
    await play.deliver(
      deleteEvent({ properties: { LoadBalancerName }, physicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }),
    );
    expect(play.answers).toMatchObject([
      { Status: 'SUCCESS', PhysicalResourceId: 'fleet-ProxyProtocol-1A2B3C', Reason },
    ]);
    expect(play.aws.started).toBe(0);
  });

  test('after a Create that was refused for its properties does nothing', async () => {
    await play.deliver(createEvent({ request: '1', properties: { LoadBalancerName: '' } }));
    await play.deliver(
      deleteEvent({
        request: '2',
        properties: { LoadBalancerName: '' },
        physicalResourceId: play.answers[0]?.PhysicalResourceId ?? '',
      }),
    );
    expect(play.answers.map((each) => each.Status)).toEqual(['FAILED', 'SUCCESS']);
  });

  test('by one that is not the owner does nothing', async () => {
    play.setState({ owner: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/other/x/ProxyProtocol' });
    await play.deliver(deleteEvent());
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS', Reason: expect.stringContaining('stack/other') }]);
    expect(play.aws.started).toBe(0);
  });

  test('with Retain leaves all as it is, free for another to take over', async () => {
    play.setState();
    await play.deliver(deleteEvent({ properties: { DeletionMode: 'Retain' } }));
    expect(play.aws.started).toBe(0);
    expect(play.aws.parameter(STATE)).toMatchObject({ owner: 'console', mode: 'proxy' });
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS', Reason: 'web stays as it is, with receivers in proxy.' }]);
  });

  test('that fails is answered as failed, so that the stack stays', async () => {
    play.setState();
    play.runbook.ends = { status: 'Failed' };
    await play.deliver(deleteEvent());
    expect(play.answers).toMatchObject([{ Status: 'FAILED', PhysicalResourceId: ID }]);
  });

  test.each([
    { desc: 'that has taken the lock', hasLock: true },
    { desc: 'that still waits for the fleet', hasLock: false },
  ])('while the Create still runs, one $desc: it is stopped first, and its end awaited', async ({ hasLock }) => {
    play.runbook.durationMs = Number.POSITIVE_INFINITY;
    await play.invoke(createEvent({ request: '1', properties: { ServiceTimeout: '3600' } }));
    expect(play.answers).toEqual([]);
    play.aws.invoked.length = 0;
    if (hasLock) play.setState({ executionId: 'execution-1', phase: 'measuring' });
    play.runbook.durationMs = 20_000;

    await play.deliver(deleteEvent({ request: '2', physicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }));
    expect(play.aws.executions.get('execution-1')?.status).toBe('Cancelled');
    expect(play.directions).toEqual(hasLock ? ['enable', 'disable'] : ['enable']);
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }]);
  });

  test('a Create that comes in again after the Update that followed it is let drop', async () => {
    await play.deliver(createEvent({ request: '1' }));
    await play.deliver(updateEvent({ request: '2' }));
    await play.deliver(createEvent({ request: '1' }));
    expect(play.answers).toHaveLength(2);
    expect(play.aws.started).toBe(2);
  });
});
