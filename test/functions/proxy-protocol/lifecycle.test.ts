import { beforeEach, describe, expect, test } from '@jest/globals';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { createHandler } from '../../../functions/proxy-protocol/handler.ts';
import { FakeAws, type FakeExecution } from '../fake-aws.ts';
import { createEvent, deleteEvent, ID, OWNER, updateEvent } from './events.ts';

const STATE = '/proxyflip/web';
const MINUTE = 60_000;

let aws: FakeAws;
let answers: { Status: string; Reason: string; PhysicalResourceId: string; Data: Record<string, string> }[];
/** Called when an answer is under way. */
let onAnswer: () => void;
/** What each execution does when it is looked at: ends after so many milliseconds of the fake clock, or never. */
let runbook: { durationMs: number; ends: Omit<FakeExecution, 'parameters'> };

const SUCCESS = {
  status: 'Success',
  outputs: {
    'Finish.mode': ['proxy'],
    'Finish.instancePorts': ['80=http 81=https'],
    'Finish.policyName': ['proxyflip-proxy-protocol'],
    'Finish.assumed': ['No output available yet because the step is not successfully executed'],
    'Finish.summary': ['PROXY protocol is on.'],
  },
};

function state(given: Record<string, unknown> = {}): void {
  const value = {
    version: 1,
    owner: OWNER,
    executionId: 'execution-1',
    startedBy: 'x',
    direction: 'enable',
    phase: 'done',
    mode: 'proxy',
    startedAt: '',
    instancePorts: '',
    bothPorts: '',
    policyName: '',
    before: {},
    ...given,
  };
  aws.parameters.set(STATE, [JSON.stringify(value)]);
}

const deps = () => ({
  ssm: aws.ssm,
  lambda: aws.lambda,
  clock: aws.clock,
  log: () => {},
  documentName: 'fleet-switch',
  fetch: (async (_url: unknown, init: RequestInit) => {
    onAnswer();
    answers.push(JSON.parse(new TextDecoder().decode(init.body as Uint8Array)));
    return new Response();
  }) as unknown as typeof fetch,
});

/** One invocation of 15 minutes. */
async function invoke(event: CloudFormationCustomResourceEvent): Promise<void> {
  const endsAt = aws.now + 15 * MINUTE;
  await createHandler(deps())(event, {
    functionName: 'proxy-protocol',
    getRemainingTimeInMillis: () => endsAt - aws.now,
  });
}

/** And all that it hands on to. */
async function deliver(event: CloudFormationCustomResourceEvent): Promise<void> {
  await invoke(event);
  for (let next = aws.invoked.shift(); next !== undefined; next = aws.invoked.shift()) {
    await invoke(JSON.parse(new TextDecoder().decode(next.Payload)));
  }
}

beforeEach(() => {
  aws = new FakeAws();
  answers = [];
  onAnswer = () => {};
  runbook = { durationMs: 20_000, ends: SUCCESS };
  const startedAt = new Map<string, number>();
  aws.onSleep = () => {
    for (const [id, execution] of aws.executions) {
      if (execution.status !== 'InProgress') continue;
      startedAt.set(id, startedAt.get(id) ?? aws.now);
      if (aws.now - (startedAt.get(id) ?? 0) >= runbook.durationMs) Object.assign(execution, runbook.ends);
    }
  };
});

const started = () => [...aws.executions.values()].map((each) => each.parameters?.Direction?.[0]);

describe('Create', () => {
  test('runs the runbook once and gives what it found out', async () => {
    await deliver(createEvent());
    expect(answers).toMatchObject([
      {
        Status: 'SUCCESS',
        PhysicalResourceId: ID,
        Data: {
          InstancePorts: '80=http 81=https',
          PolicyName: 'proxyflip-proxy-protocol',
          ReceiverMode: 'proxy',
          ExecutionId: 'execution-1',
          Assumed: 'nothing',
        },
      },
    ]);
    expect(aws.executions.get('execution-1')?.parameters).toMatchObject({
      Direction: ['enable'],
      Owner: [OWNER],
      LoadBalancerName: ['web'],
      FleetWaitSeconds: ['600'],
    });
  });

  test('passes nothing to the runbook that it does not know', async () => {
    await deliver(createEvent());
    const names = Object.keys(aws.executions.get('execution-1')?.parameters ?? {});
    for (const name of ['ServiceToken', 'ServiceTimeout', 'DeletionMode']) expect(names).not.toContain(name);
  });

  test('waits past Lambda’s 15 minutes by invoking itself, and answers once', async () => {
    runbook.durationMs = 40 * MINUTE;
    await deliver(createEvent());
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(aws.calls.filter(({ action }) => action === 'Invoke')).toHaveLength(2);
    expect(aws.started).toBe(1);
  });

  test('answers before ServiceTimeout where the run does not end, with the phase and what to look at', async () => {
    runbook.durationMs = Number.POSITIVE_INFINITY;
    const from = aws.now;
    await deliver(createEvent());
    expect(answers).toHaveLength(1);
    expect(answers[0]).toMatchObject({ Status: 'FAILED', PhysicalResourceId: ID });
    expect(answers[0]?.Reason).toMatch(/ERR_OUT_OF_TIME.*execution-1.*Automation/s);
    expect(aws.now - from).toBeLessThan(60 * MINUTE);
    expect(aws.now - from).toBeGreaterThan(55 * MINUTE);
  });

  test('a short ServiceTimeout is kept too', async () => {
    runbook.durationMs = Number.POSITIVE_INFINITY;
    const from = aws.now;
    await deliver(createEvent({ properties: { ServiceTimeout: '60' } }));
    expect(answers).toMatchObject([{ Status: 'FAILED' }]);
    expect(aws.now - from).toBeLessThan(MINUTE);
  });

  test('a failed run gives the step, why, and how things are now', async () => {
    runbook.ends = {
      status: 'Failed',
      steps: [
        { StepName: 'Survey', StepStatus: 'Failed', FailureMessage: 'got over', IsCritical: false },
        { StepName: 'Begin', StepStatus: 'Failed', FailureMessage: 'ERR_HEALTH_CHECK: the health check …' },
      ],
      outputs: { 'Undo.summary': ['Nothing was changed by this execution.'] },
    };
    await deliver(createEvent());
    expect(answers[0]?.Reason).toMatch(
      /ended in Failed at step Begin: ERR_HEALTH_CHECK.*Nothing was changed.*execution-1/s,
    );
  });

  test('a bad property is answered at once, and starts nothing', async () => {
    await deliver(createEvent({ properties: { FinalMode: 'plain' } }));
    expect(answers).toMatchObject([{ Status: 'FAILED', Reason: expect.stringContaining('FinalMode is "plain"') }]);
    expect(aws.started).toBe(0);
  });

  test('delivered twice, it starts once, and both deliveries answer the same', async () => {
    await deliver(createEvent());
    await deliver(createEvent());
    expect(aws.started).toBe(1);
    expect(answers[1]).toEqual(answers[0]);
  });

  test('a RequestId that is given again to another deployment is another request', async () => {
    runbook.ends = { status: 'Failed' };
    await deliver(createEvent({ request: '1' }));
    runbook.ends = SUCCESS;
    await deliver(createEvent({ request: '2' }));
    expect(answers.map((each) => each.Status)).toEqual(['FAILED', 'SUCCESS']);
    expect(aws.started).toBe(2);
  });

  test('an answer that is not taken at first does not lead to a second run', async () => {
    const handler = createHandler({
      ...deps(),
      fetch: (async () => new Response(null, { status: 500 })) as typeof fetch,
    });
    await expect(
      handler(createEvent(), { functionName: 'f', getRemainingTimeInMillis: () => 15 * MINUTE }),
    ).rejects.toThrow('ERR_ANSWER_NOT_TAKEN');
    await deliver(createEvent());
    expect(aws.started).toBe(1);
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
  });
});

describe('a function that is killed before or after any call, and invoked again', () => {
  class Killed extends Error {}

  test.each(['Create', 'Delete'] as const)('%s: one run, one answer', async (type) => {
    for (const when of ['before', 'after'] as const) {
      for (let call = 0; call < 12; call += 1) {
        aws = new FakeAws();
        answers = [];
        const fresh = aws;
        fresh.onSleep = () => {
          for (const execution of fresh.executions.values()) {
            if (execution.status !== 'InProgress') continue;
            Object.assign(execution, SUCCESS);
            // As the runbook's Finish does after a disable by the owner.
            if (execution.parameters?.Direction?.[0] === 'disable') fresh.parameters.delete(STATE);
          }
        };
        const event = type === 'Create' ? createEvent() : deleteEvent();
        if (type === 'Delete') state({ executionId: 'long-gone' });
        // The runbook takes the lock as soon as it runs.
        let killed = false;
        let count = 0;
        fresh.fault = (action, at) => {
          if (action === 'StartAutomationExecution' && at === 'after') {
            state({
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
          ...deps(),
          fetch: (async (url: string, init: RequestInit) => {
            if (
              killed &&
              answers.length === 0 &&
              JSON.parse(new TextDecoder().decode(init.body as Uint8Array)).Reason.includes('Killed')
            )
              throw new Killed();
            return deps().fetch(url, init);
          }) as typeof fetch,
        });
        const context = { functionName: 'f', getRemainingTimeInMillis: () => 15 * MINUTE };
        await handler(event, context).catch(() => {});
        if (killed && answers.some((each) => each.Status === 'FAILED')) answers = [];
        if (answers.length === 0) await handler(event, context);
        expect([when, call, answers.map((each) => each.Status), fresh.started]).toEqual([when, call, ['SUCCESS'], 1]);
      }
    }
  });
});

describe('Update', () => {
  test('of the same load balancer keeps the physical id', async () => {
    await deliver(updateEvent({ properties: { ExcludePorts: '22,81' } }));
    expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: ID }]);
    expect(started()).toEqual(['enable']);
  });

  test('to another load balancer has another id, and leaves the former to its own Delete', async () => {
    await deliver(updateEvent({ properties: { LoadBalancerName: 'blue' }, old: {} }));
    expect(answers[0]?.PhysicalResourceId).toMatch(/loadbalancer\/blue$/);
    expect([...aws.executions.values()].map((each) => each.parameters?.LoadBalancerName)).toEqual([['blue']]);
  });

  test('a rollback, with Old and New swapped, is an Update like any other', async () => {
    runbook.ends = { status: 'Failed' };
    await deliver(updateEvent({ request: '1', properties: { LoadBalancerName: 'blue' } }));
    runbook.ends = SUCCESS;
    await deliver(updateEvent({ request: '2', old: { LoadBalancerName: 'blue' } }));
    expect(answers.map((each) => [each.Status, each.PhysicalResourceId.split('/')[1]])).toEqual([
      ['FAILED', 'blue'],
      ['SUCCESS', 'web'],
    ]);
  });

  test('waits for a person’s run on the same load balancer', async () => {
    aws.executions.set('by-hand', { status: 'InProgress' });
    state({ owner: 'console', executionId: 'by-hand', phase: 'measuring' });
    await deliver(updateEvent());
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
    expect(aws.executions.get('by-hand')?.status).toBe('Success');
  });

  test('that loses the race for the lock waits and starts again, with a client token of its own', async () => {
    runbook.ends = {
      status: 'Failed',
      steps: [{ StepName: 'Begin', StepStatus: 'Failed', FailureMessage: 'ERR_SWITCH_BUSY: execution x' }],
    };
    const onSleep = aws.onSleep;
    aws.onSleep = (ms) => {
      onSleep?.(ms);
      if (aws.executions.get('execution-1')?.status === 'Failed') runbook.ends = SUCCESS;
    };
    await deliver(updateEvent());
    expect(answers).toMatchObject([{ Status: 'SUCCESS' }]);
    const tokens = aws.calls
      .filter(({ action }) => action === 'StartAutomationExecution')
      .map(({ input }) => input.ClientToken);
    expect(new Set(tokens).size).toBe(2);
  });
});

describe('Delete', () => {
  const forgotten = () => [...aws.parameters.keys()].filter((name) => name.startsWith('/proxyflip/requests/'));

  test('switches off, and forgets its requests', async () => {
    state();
    await deliver(deleteEvent());
    expect(started()).toEqual(['disable']);
    expect(aws.executions.get('execution-1')?.parameters).toMatchObject({ FleetWaitSeconds: ['0'] });
    expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: ID }]);
    expect(forgotten()).toEqual([]);
  });

  test('has forgotten its requests when it answers: from then on CloudFormation takes its role away', async () => {
    state();
    let atAnswer: string[] | undefined;
    onAnswer = () => {
      atAnswer = forgotten();
    };
    await deliver(deleteEvent());
    expect(atAnswer).toEqual([]);
  });

  test('after a Create that never made anything does nothing', async () => {
    await deliver(deleteEvent({ physicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }));
    expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }]);
    expect(aws.started).toBe(0);
  });

  test('after a Create that was refused for its properties does nothing', async () => {
    await deliver(createEvent({ request: '1', properties: { LoadBalancerName: '' } }));
    await deliver(
      deleteEvent({
        request: '2',
        properties: { LoadBalancerName: '' },
        physicalResourceId: answers[0]?.PhysicalResourceId ?? '',
      }),
    );
    expect(answers.map((each) => each.Status)).toEqual(['FAILED', 'SUCCESS']);
  });

  test('by one that is not the owner does nothing', async () => {
    state({ owner: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/other/x/ProxyProtocol' });
    await deliver(deleteEvent());
    expect(answers).toMatchObject([{ Status: 'SUCCESS', Reason: expect.stringContaining('stack/other') }]);
    expect(aws.started).toBe(0);
  });

  test('with Retain leaves all as it is, free for another to take over', async () => {
    state();
    await deliver(deleteEvent({ properties: { DeletionMode: 'Retain' } }));
    expect(aws.started).toBe(0);
    expect(aws.parameter(STATE)).toMatchObject({ owner: 'console', mode: 'proxy' });
  });

  test('that fails is answered as failed, so that the stack stays', async () => {
    state();
    runbook.ends = { status: 'Failed' };
    await deliver(deleteEvent());
    expect(answers).toMatchObject([{ Status: 'FAILED', PhysicalResourceId: ID }]);
  });

  test.each([
    { desc: 'that has taken the lock', hasLock: true },
    { desc: 'that still waits for the fleet', hasLock: false },
  ])('while the Create still runs, one $desc: it is stopped first, and its end awaited', async ({ hasLock }) => {
    runbook.durationMs = Number.POSITIVE_INFINITY;
    await invoke(createEvent({ request: '1', properties: { ServiceTimeout: '3600' } }));
    expect(answers).toEqual([]);
    aws.invoked.length = 0;
    if (hasLock) state({ executionId: 'execution-1', phase: 'measuring' });
    runbook.durationMs = 20_000;

    await deliver(deleteEvent({ request: '2', physicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }));
    expect(aws.executions.get('execution-1')?.status).toBe('Cancelled');
    expect(started()).toEqual(hasLock ? ['enable', 'disable'] : ['enable']);
    expect(answers).toMatchObject([{ Status: 'SUCCESS', PhysicalResourceId: 'fleet-ProxyProtocol-1A2B3C' }]);
  });

  test('a Create that comes in again after the Update that followed it is let drop', async () => {
    await deliver(createEvent({ request: '1' }));
    await deliver(updateEvent({ request: '2' }));
    await deliver(createEvent({ request: '1' }));
    expect(answers).toHaveLength(2);
    expect(aws.started).toBe(2);
  });
});
