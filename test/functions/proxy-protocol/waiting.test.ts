/** Whom a request waits for, whom it stops, and what it says when CloudFormation's patience is over. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { FakeError } from '../fake-aws.ts';
import { MINUTE, Play, STATE, SUCCESS } from './driver.ts';
import { createEvent, deleteEvent, ID, updateEvent } from './events.ts';

const OTHER = 'arn:aws:cloudformation:eu-central-1:111122223333:stack/other/x/ProxyProtocol';

let play: Play;

beforeEach(() => {
  play = new Play();
});

const callsOf = (wanted: string) => play.aws.calls.filter(({ action }) => action === wanted).map(({ input }) => input);
const statusOf = (executionId: string) => play.aws.executions.get(executionId)?.status;

/** Called right after the runbook was started, as many times as it is. */
function onStart(body: () => void): void {
  play.aws.fault = (action, when) => {
    if (action === 'StartAutomationExecution' && when === 'after') body();
  };
}

describe('a run that is at work already', () => {
  test('by an earlier request of the same resource is waited for, and another started', async () => {
    play.aws.executions.set('earlier', { status: 'InProgress' });
    play.setState({ executionId: 'earlier', startedBy: 'another request', phase: 'measuring' });
    let earlier: string | undefined;
    onStart(() => {
      earlier = statusOf('earlier');
    });

    await play.deliver(updateEvent());

    expect(earlier).toBe('Success');
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS', Data: { ExecutionId: 'execution-1' } }]);
  });

  test('for another owner is not waited for: the runbook refuses, and says whose it is', async () => {
    play.aws.executions.set('theirs', { status: 'InProgress' });
    play.setState({ owner: OTHER, executionId: 'theirs', phase: 'measuring' });
    const from = play.aws.now;
    let at: number | undefined;
    onStart(() => {
      at = play.aws.now;
    });

    await play.deliver(createEvent());

    expect(at).toBe(from);
  });

  test('is stopped by a Delete of its resource, though no request of it is remembered', async () => {
    play.aws.executions.set('earlier', { status: 'InProgress' });
    play.setState({ executionId: 'earlier', startedBy: 'another request', phase: 'measuring' });
    let earlier: string | undefined;
    onStart(() => {
      earlier = statusOf('earlier');
    });

    await play.deliver(deleteEvent());

    expect(callsOf('StopAutomationExecution')).toEqual([{ AutomationExecutionId: 'earlier', Type: 'Cancel' }]);
    expect(earlier).toBe('Cancelled');
    expect(play.logged).toContainEqual({ message: 'stop', executionId: 'earlier' });
    expect(play.directions).toEqual([undefined, 'disable']);
  });

  test('goes on where a Delete is not its owner’s', async () => {
    play.aws.executions.set('theirs', { status: 'InProgress' });
    play.setState({ owner: OTHER, executionId: 'theirs', phase: 'measuring' });

    await play.deliver(deleteEvent());

    expect(statusOf('theirs')).toBe('InProgress');
    expect(play.answers).toMatchObject([{ Reason: `web belongs to ${OTHER}; nothing was changed.` }]);
  });
});

test('a run that has ended is not stopped by the request that follows', async () => {
  await play.deliver(createEvent({ request: '1' }));
  await play.deliver(updateEvent({ request: '2' }));

  expect(callsOf('StopAutomationExecution')).toEqual([]);
  expect(play.answers.map((each) => each.Data.ExecutionId)).toEqual(['execution-1', 'execution-2']);
});

describe('a client token', () => {
  const refuse = (name: string) => {
    let isRefused = false;
    play.aws.fault = (action, when) => {
      if (action !== 'StartAutomationExecution' || when !== 'before' || isRefused) return;
      isRefused = true;
      throw new FakeError(name);
    };
  };

  test('that was used by another start is replaced once', async () => {
    refuse('IdempotentParameterMismatch');

    await play.deliver(createEvent());

    const [first, second, ...others] = callsOf('StartAutomationExecution').map((input) => input.ClientToken);
    expect(others).toEqual([]);
    expect(second).not.toBe(first);
    expect(play.aws.parameter(play.remembered[0] ?? '')).toMatchObject({ clientToken: second });
    expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
  });

  test('is not what any other error is about', async () => {
    refuse('AccessDenied');

    await play.deliver(createEvent());

    expect(callsOf('StartAutomationExecution')).toHaveLength(1);
    expect(play.answers).toMatchObject([{ Status: 'FAILED', Reason: 'fake AccessDenied' }]);
  });
});

test('an execution that Systems Manager forgets while it is waited for has failed', async () => {
  const { onSleep } = play.aws;
  play.aws.onSleep = (ms) => {
    onSleep?.(ms);
    play.aws.executions.delete('execution-1');
  };

  await play.deliver(createEvent());

  expect(play.answers).toMatchObject([
    {
      Status: 'FAILED',
      PhysicalResourceId: ID,
      Reason: 'Execution execution-1 is not known to Systems Manager.',
    },
  ]);
});

test('a look that fails is logged, and the next one counts', async () => {
  let looks = 0;
  play.aws.fault = (action, when) => {
    if (action === 'GetAutomationExecution' && when === 'before' && looks++ === 0) throw new FakeError('Throttled');
  };

  await play.deliver(createEvent());

  expect(play.logged).toContainEqual({
    message: 'cannot look at the execution',
    executionId: 'execution-1',
    error: 'fake Throttled',
  });
  expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
});

describe('how long CloudFormation waits', () => {
  test.each([
    ['3600', 59 * MINUTE],
    ['121', 61_000],
    ['120', MINUTE],
    ['60', 30_000],
    ['1', 500],
    ['0', 59 * MINUTE],
    ['3601', 59 * MINUTE],
    ['soon', 59 * MINUTE],
    [undefined, 59 * MINUTE],
  ])('with ServiceTimeout %s the answer is given within %i ms', async (ServiceTimeout, withinMs) => {
    const from = play.aws.now;

    await play.invoke(createEvent({ properties: { ServiceTimeout, FinalMode: 'none of these' } }));

    expect(play.aws.parameter(play.remembered[0] ?? '')).toMatchObject({ deadline: from + withinMs });
  });
});

describe('when that time is over', () => {
  const running = (currentStep?: string) =>
    Object.assign(play.aws.executions.get('execution-1') ?? {}, { currentStep });
  const state = (given: object) => play.setState({ executionId: 'execution-1', ...given });
  test.each([
    {
      desc: 'nothing is known of the execution',
      begin: () => {},
      was: 'execution execution-1 is at step unknown, and has not begun yet',
    },
    {
      desc: 'another execution has the load balancer',
      begin: () => {
        running('Begin');
        play.setState({ owner: 'console', executionId: 'by-hand', phase: 'measuring' });
      },
      was: 'execution execution-1 is at step Begin, and has not begun yet',
    },
    {
      desc: 'it measures, and something stands in the way',
      begin: () => {
        running('Judge');
        state({ phase: 'measuring', remaining: 'node 10.0.101.21 sent 7 plain connections' });
      },
      was: 'execution execution-1 is at step Judge, phase measuring (node 10.0.101.21 sent 7 plain connections)',
    },
    {
      desc: 'it sets the policies',
      begin: () => {
        running('SetPolicies');
        state({ phase: 'policies' });
      },
      was: 'execution execution-1 is at step SetPolicies, phase policies',
    },
    {
      desc: 'its state cannot be read',
      begin: () => {
        running('SetPolicies');
        play.aws.parameters.set(STATE, ['?']);
      },
      was: 'execution execution-1 is at step SetPolicies',
    },
    {
      desc: 'it cannot be looked at',
      begin: () => {
        running('SetPolicies');
        state({ phase: 'policies' });
        play.aws.fault = (action) => {
          if (action === 'GetAutomationExecution') throw new FakeError('Throttled');
        };
      },
      was: 'execution execution-1 is at step unknown, phase policies',
    },
  ])('and $desc, the answer says so', async ({ begin, was }) => {
    play.runbook.durationMs = Number.POSITIVE_INFINITY;
    onStart(begin);
    const from = play.aws.now;

    await play.deliver(createEvent({ properties: { ServiceTimeout: '61' } }));

    expect(play.answers.map(({ Status, Reason }) => [Status, Reason])).toEqual([['FAILED', outOfTime(was)]]);
    // To the half of ServiceTimeout, not to the next look.
    expect(play.aws.now - from).toBe(30_500);
  });

  test('and another’s run is waited for, the answer says whose', async () => {
    play.runbook.durationMs = Number.POSITIVE_INFINITY;
    play.aws.executions.set('by-hand', { status: 'InProgress' });
    play.setState({ owner: 'console', executionId: 'by-hand', phase: 'measuring' });

    await play.deliver(createEvent({ properties: { ServiceTimeout: '61' } }));

    expect(play.answers.map(({ Reason }) => Reason)).toEqual([
      outOfTime('waiting for execution by-hand, which is at work on web'),
    ]);
  });

  test('and the run before does not stop, the answer says where that is', async () => {
    play.runbook.durationMs = Number.POSITIVE_INFINITY;
    await play.invoke(createEvent({ request: '1' }));
    state({ phase: 'measuring' });
    play.aws.fault = (action, when) => {
      if (action !== 'StopAutomationExecution' || when === 'before') return;
      Object.assign(play.aws.executions.get('execution-1') ?? {}, { status: 'Cancelling', currentStep: 'Undo' });
    };

    await play.invoke(updateEvent({ request: '2', properties: { ServiceTimeout: '61' } }));

    expect(play.answers.map(({ Reason }) => Reason)).toEqual([outOfTime('execution execution-1 is at step Undo')]);
    expect(play.aws.started).toBe(1);
  });

  function outOfTime(what: string): string {
    return `ERR_OUT_OF_TIME: the time that CloudFormation gives was over while ${what}. The execution goes on by itself and leaves a fleet that serves; look at it in Systems Manager under Automation. For larger fleets raise SwitchTimeoutSeconds (at most 3600) or MaxConcurrency.`;
  }
});

test('a run that ends at the last look is still a success', async () => {
  play.runbook = { durationMs: 30_500 - 5_000, ends: SUCCESS };

  await play.deliver(createEvent({ properties: { ServiceTimeout: '61' } }));

  expect(play.answers).toMatchObject([{ Status: 'SUCCESS' }]);
});
