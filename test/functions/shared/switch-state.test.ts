/** The parameter that is lock and memory of a switch, where two write it at once, or it is not what it was. */
import type { SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import {
  createState,
  deleteState,
  executionHasEnded,
  hasEnded,
  readState,
  requireState,
  type SwitchState,
  writeState,
} from '../../../functions/shared/switch-state.ts';

type Answer = Record<string, unknown> | string;

/** Answers each action with the next of its answers, the last one again and again; a text is the name of an error. */
function ssm(answers: Record<string, Answer[]>) {
  const calls: { action: string; input: Record<string, unknown> }[] = [];
  const client = {
    async send(command: { input: Record<string, unknown> }) {
      const action = command.constructor.name.replace('Command', '');
      calls.push({ action, input: command.input });
      const queue = answers[action] ?? [];
      const answer = (queue.length > 1 ? queue.shift() : queue[0]) ?? {};
      if (typeof answer === 'string') throw Object.assign(new Error(answer), { name: answer });
      return answer;
    },
  };
  return { client: client as unknown as SSMClient, calls, actions: () => calls.map(({ action }) => action) };
}

const state = (more: Partial<SwitchState> = {}): SwitchState =>
  ({ version: 1, owner: 'console', executionId: 'run-1', phase: 'preparing', ...more }) as SwitchState;
const stored = (value: SwitchState, version: number) => ({
  Parameter: { Value: JSON.stringify(value), Version: version },
});
const clock = () => {
  const slept: number[] = [];
  return { slept, now: () => 0, sleep: async (ms: number) => void slept.push(ms) };
};

describe('a state that is made', () => {
  test('is written without overwriting, as text that a person can read', async () => {
    const { client, calls } = ssm({ PutParameter: [{ Version: 1 }] });

    expect(await createState(client, 'web', state())).toBe(true);

    expect(calls).toEqual([
      {
        action: 'PutParameter',
        input: {
          Name: '/proxyflip/web',
          Description: 'Lock and memory of proxyflip for this load balancer. Written by the Automation runbook.',
          Value: JSON.stringify(state()),
          Type: 'String',
          Overwrite: false,
          Tier: 'Intelligent-Tiering',
        },
      },
    ]);
  });

  test('is not made where one is there; any other error is one', async () => {
    expect(await createState(ssm({ PutParameter: ['ParameterAlreadyExists'] }).client, 'web', state())).toBe(false);
    await expect(createState(ssm({ PutParameter: ['AccessDenied'] }).client, 'web', state())).rejects.toThrow(
      'AccessDenied',
    );
  });
});

describe('a state that is written over the one that was read', () => {
  const before = { state: state(), parameterVersion: 4 };
  const next = state({ phase: 'policies' as SwitchState['phase'] });

  test('is the next version: it holds', async () => {
    const { client, calls } = ssm({ PutParameter: [{ Version: 5 }] });

    expect(await writeState(client, 'web', before, next)).toEqual({ state: next, parameterVersion: 5 });
    expect(calls.map(({ input }) => input.Overwrite)).toEqual([true]);
  });

  test('somebody wrote between: theirs is put back, and this run gives up', async () => {
    const theirs = state({ executionId: 'run-2', phase: 'undone' });
    const { client, calls, actions } = ssm({ PutParameter: [{ Version: 6 }], GetParameter: [stored(theirs, 5)] });

    await expect(writeState(client, 'web', before, next)).rejects.toMatchObject({
      code: 'ERR_STATE_LOST',
      holder: theirs,
      message:
        'ERR_STATE_LOST: the parameter /proxyflip/web names execution run-2 in phase undone: execution run-1 was cancelled or taken over, and this step writes nothing more. Run again.',
    });

    expect(actions()).toEqual(['PutParameter', 'GetParameter', 'PutParameter']);
    expect(calls[1]?.input).toEqual({ Name: '/proxyflip/web:5' });
    expect(calls[2]?.input).toMatchObject({ Value: JSON.stringify(theirs), Overwrite: true });
  });

  test('the SDK has repeated this very write: it holds', async () => {
    const { client, actions } = ssm({ PutParameter: [{ Version: 6 }], GetParameter: [stored(next, 5)] });

    expect(await writeState(client, 'web', before, next)).toEqual({ state: next, parameterVersion: 6 });
    expect(actions()).toEqual(['PutParameter', 'GetParameter']);
  });

  test('it was deleted meanwhile: what this write made anew goes again', async () => {
    const { client, calls, actions } = ssm({ PutParameter: [{ Version: 1 }] });

    await expect(writeState(client, 'web', before, next)).rejects.toMatchObject({
      code: 'ERR_STATE_LOST',
      holder: undefined,
      message: expect.stringContaining('the parameter /proxyflip/web is gone: execution run-1 was cancelled'),
    });

    expect(actions()).toEqual(['PutParameter', 'DeleteParameter']);
    expect(calls[1]?.input).toEqual({ Name: '/proxyflip/web' });
  });
});

test('a state that is gone already is deleted; any other error is one', async () => {
  await deleteState(ssm({ DeleteParameter: ['ParameterNotFound'] }).client, 'web');
  await expect(deleteState(ssm({ DeleteParameter: ['AccessDenied'] }).client, 'web')).rejects.toThrow('AccessDenied');
});

describe('an execution that goes on', () => {
  test('holds the state: it is asked once', async () => {
    const { client, actions } = ssm({ GetParameter: [stored(state(), 3)] });
    const time = clock();

    expect(await requireState(client, time, 'web', 'run-1')).toEqual({ state: state(), parameterVersion: 3 });
    expect([actions(), time.slept]).toEqual([['GetParameter'], []]);
  });

  test('is named again a moment later, when a lost take-over has been put back', async () => {
    const { client } = ssm({ GetParameter: [stored(state({ executionId: 'run-2' }), 4), stored(state(), 5)] });
    const time = clock();

    expect(await requireState(client, time, 'web', 'run-1')).toMatchObject({ parameterVersion: 5 });
    expect(time.slept).toEqual([2000]);
  });

  test.each([
    ['another execution holds it', [stored(state({ executionId: 'run-2' }), 4)]],
    ['it is gone', ['ParameterNotFound']],
    ['it was undone', [stored(state({ phase: 'undone' }), 4)]],
    ['it is done', [stored(state({ phase: 'done' }), 4)]],
  ])('may change nothing more: %s', async (_, answers) => {
    await expect(requireState(ssm({ GetParameter: answers }).client, clock(), 'web', 'run-1')).rejects.toThrow(
      'ERR_STATE_LOST',
    );
  });
});

describe('what the parameter holds', () => {
  test.each<[string, string]>([
    ['', 'nothing'],
    ['{', 'half a JSON'],
    ['null', 'nothing of JSON'],
    [JSON.stringify({ ...state(), version: 2 }), 'a state of a later version'],
    [JSON.stringify({ ...state(), owner: 7 }), 'an owner that is no text'],
    [JSON.stringify({ ...state(), executionId: null }), 'no execution'],
  ])('%j is refused: %s', async (Value) => {
    await expect(readState(ssm({ GetParameter: [{ Parameter: { Value } }] }).client, 'web')).rejects.toThrow(
      'ERR_STATE_UNREADABLE: the parameter /proxyflip/web does not hold a state that this version can read. If no execution of the runbook is running, delete it and run again.',
    );
  });

  test('an answer without a parameter is refused like that, too', async () => {
    await expect(readState(ssm({ GetParameter: [{}] }).client, 'web')).rejects.toThrow('ERR_STATE_UNREADABLE');
  });

  test('a state is taken as it is, with its version; one that is not there is none', async () => {
    expect(await readState(ssm({ GetParameter: [stored(state(), 3)] }).client, 'web')).toEqual({
      state: state(),
      parameterVersion: 3,
    });
    expect(await readState(ssm({ GetParameter: ['ParameterNotFound'] }).client, 'web')).toBeUndefined();
    await expect(readState(ssm({ GetParameter: ['AccessDenied'] }).client, 'web')).rejects.toThrow('AccessDenied');
  });
});

describe('an execution', () => {
  test.each([
    'Success',
    'TimedOut',
    'Cancelled',
    'Failed',
    'Rejected',
    'Exited',
    'CompletedWithSuccess',
    'CompletedWithFailure',
  ])('has ended with %s', (status) => expect(hasEnded(status)).toBe(true));

  test.each(['Pending', 'InProgress', 'Waiting', 'Cancelling', undefined])('goes on, or may, with %s', (status) =>
    expect(hasEnded(status)).toBe(false),
  );

  test('that nobody knows any more has ended; one that cannot be asked about has not', async () => {
    expect(
      await executionHasEnded(
        ssm({ GetAutomationExecution: ['AutomationExecutionNotFoundException'] }).client,
        'run-1',
      ),
    ).toBe(true);
    await expect(executionHasEnded(ssm({ GetAutomationExecution: ['AccessDenied'] }).client, 'run-1')).rejects.toThrow(
      'AccessDenied',
    );
    expect(await executionHasEnded(ssm({ GetAutomationExecution: [{}] }).client, 'run-1')).toBe(false);
  });
});
