import { describe, expect, test } from '@jest/globals';
import type { Action } from '../../../rehearsal/aws/service.ts';
import { type Account, type Answer, createAccount, until } from './in-process.ts';

type Step = Record<string, unknown> & { name: string };

const lambda = (name: string, payload: object = {}, more: object = {}): Step => ({
  name,
  action: 'aws:invokeLambdaFunction',
  inputs: { FunctionName: 'steps', InputPayload: { step: name, ...payload } },
  ...more,
});

/** An account with a function that answers, fails or takes its time as its payload says, and keeps what it was given. */
function accountWithFunction(options: { instances?: number } = {}) {
  const events: Record<string, Answer>[] = [];
  const Invoke: Action = async ({ Payload }) => {
    const event = JSON.parse(Buffer.from(Payload).toString());
    events.push(event);
    if (event.waitMs) await new Promise((resolve) => setTimeout(resolve, event.waitMs));
    const failures = events.filter(({ step }) => step === event.step).length;
    if (event.fail === true || failures <= Number(event.failTimes ?? 0))
      return { StatusCode: 200, FunctionError: 'Unhandled', Payload: Buffer.from('{"errorMessage":"no"}') };
    return { StatusCode: 200, Payload: Buffer.from(JSON.stringify(event.answer ?? {})) };
  };
  const ec2 = {
    DescribeSubnets: () => ({
      Subnets: [
        { SubnetId: 'subnet-1', CidrBlock: '10.0.101.0/24' },
        { SubnetId: 'subnet-2', CidrBlock: '10.0.102.0/24' },
      ],
    }),
  };
  return { events, account: createAccount({ ...options, services: { lambda: { Invoke }, ec2 } }) };
}

async function start(account: Account, mainSteps: Step[], more: object = {}, Parameters: object = {}): Promise<string> {
  await account.call('CreateDocument', {
    Name: 'Runbook',
    DocumentType: 'Automation',
    Content: JSON.stringify({ schemaVersion: '0.3', mainSteps, ...more }),
  });
  const { AutomationExecutionId } = await account.call('StartAutomationExecution', {
    DocumentName: 'Runbook',
    Parameters,
  });
  return AutomationExecutionId;
}

const get = async (account: Account, AutomationExecutionId: string) =>
  (await account.call('GetAutomationExecution', { AutomationExecutionId })).AutomationExecution;

const ended = (account: Account, id: string) =>
  until(
    () => get(account, id),
    ({ ExecutionEndTime }) => ExecutionEndTime !== undefined,
  );

/** The path that it took: each step that was started, with how it ended. */
const path = (execution: Answer): string[] =>
  execution.StepExecutions.filter(({ StepStatus }: Answer) => StepStatus !== 'Pending').map(
    ({ StepName, StepStatus }: Answer) => `${StepName} ${StepStatus}`,
  );

describe('the order of steps', () => {
  const fail = { fail: true };
  const table: [string, Step[], string[], string][] = [
    ['follows the list', [lambda('A'), lambda('B')], ['A Success', 'B Success'], 'Success'],
    [
      'jumps to nextStep and stops at isEnd',
      [lambda('A', {}, { nextStep: 'C' }), lambda('B'), lambda('C', {}, { isEnd: true }), lambda('D')],
      ['A Success', 'C Success'],
      'Success',
    ],
    ['stops where a step fails', [lambda('A', fail), lambda('B')], ['A Failed'], 'Failed'],
    [
      'goes on with onFailure Continue, which does not count',
      [lambda('A', fail, { onFailure: 'Continue' }), lambda('B')],
      ['A Failed', 'B Success'],
      'Success',
    ],
    [
      'counts a critical step that failed and continued',
      [lambda('A', fail, { onFailure: 'Continue', isCritical: true }), lambda('B')],
      ['A Failed', 'B Success'],
      'Failed',
    ],
    [
      'goes to onFailure step:X and is Failed all the same',
      [lambda('A', fail, { onFailure: 'step:Undo' }), lambda('B', {}, { isEnd: true }), lambda('Undo')],
      ['A Failed', 'Undo Success'],
      'Failed',
    ],
    [
      'is a Success after onFailure step:X of a step that is not critical',
      [
        lambda('A', fail, { onFailure: 'step:Undo', isCritical: false }),
        lambda('B', {}, { isEnd: true }),
        lambda('Undo'),
      ],
      ['A Failed', 'Undo Success'],
      'Success',
    ],
    [
      'stops at an isEnd step that failed, whatever its onFailure says',
      [lambda('A', fail, { isEnd: true, onFailure: 'step:Undo' }), lambda('Undo')],
      ['A Failed'],
      'Failed',
    ],
    ['tries maxAttempts times', [lambda('A', { failTimes: 2 }, { maxAttempts: 3 })], ['A Success'], 'Success'],
    [
      'is TimedOut after timeoutSeconds',
      [lambda('A', { waitMs: 3000 }, { timeoutSeconds: 1 })],
      ['A TimedOut'],
      'TimedOut',
    ],
  ];
  test.each(table)('%s', async (_, steps, expected, status) => {
    const { account } = accountWithFunction();
    const execution = await ended(account, await start(account, steps));
    expect([path(execution), execution.AutomationExecutionStatus]).toEqual([expected, status]);
  });

  test('ends after the step that runs when it is stopped with Complete', async () => {
    const { account } = accountWithFunction();
    const id = await start(account, [lambda('A', { waitMs: 200 }), lambda('B')]);
    await until(
      () => get(account, id),
      ({ CurrentStepName }) => CurrentStepName === 'A',
    );
    await account.call('StopAutomationExecution', { AutomationExecutionId: id, Type: 'Complete' });
    expect(path(await ended(account, id))).toEqual(['A Success']);
  });

  test('can be seen while it runs', async () => {
    const { account } = accountWithFunction();
    const id = await start(account, [lambda('A', { waitMs: 200 }), lambda('B')]);
    const execution = await until(
      () => get(account, id),
      ({ CurrentStepName }) => CurrentStepName === 'A',
    );
    expect(execution.AutomationExecutionStatus).toBe('InProgress');
    expect(execution.StepExecutions.map(({ StepName, StepStatus }: Answer) => [StepName, StepStatus])).toEqual([
      ['A', 'InProgress'],
      ['B', 'Pending'],
    ]);
    expect((await ended(account, id)).AutomationExecutionStatus).toBe('Success');
  });
});

describe('values', () => {
  test('keep their types from an API to a function, and to the outputs of the runbook', async () => {
    const { account, events } = accountWithFunction();
    const id = await start(
      account,
      [
        {
          name: 'Subnets',
          action: 'aws:executeAwsApi',
          inputs: { Service: 'ec2', Api: 'DescribeSubnets', SubnetIds: '{{ Ids }}' },
          outputs: [
            { Name: 'Cidrs', Selector: '$.Subnets[*].CidrBlock', Type: 'StringList' },
            { Name: 'Anywhere', Selector: '$.Subnets..SubnetId', Type: 'StringList' },
            { Name: 'First', Selector: '$.Subnets[0].SubnetId', Type: 'String' },
            { Name: 'None', Selector: '$.Subnets[9].SubnetId', Type: 'String' },
          ],
        },
        lambda(
          'Use',
          {
            cidrs: '{{ Subnets.Cidrs }}',
            ids: '{{ Subnets.Anywhere }}',
            seconds: '{{ Seconds }}',
            text: '{{ Subnets.First }} of {{ Ids }}',
            none: '{{ Subnets.None }}',
            answer: { mode: 'both', ports: ['80', '81'] },
          },
          {
            outputs: [
              { Name: 'Mode', Selector: '$.Payload.mode', Type: 'String' },
              { Name: 'Ports', Selector: '$.ports', Type: 'StringList' },
            ],
          },
        ),
      ],
      {
        parameters: { Ids: { type: 'StringList' }, Seconds: { type: 'Integer', default: 20 } },
        outputs: ['Use.Mode', 'Use.Ports', 'Use.Payload'],
      },
      { Ids: ['subnet-1', 'subnet-2'], Seconds: ['30'] },
    );
    const execution = await ended(account, id);
    expect(events).toEqual([
      expect.objectContaining({
        cidrs: ['10.0.101.0/24', '10.0.102.0/24'],
        ids: ['subnet-1', 'subnet-2'],
        seconds: 30,
        text: 'subnet-1 of ["subnet-1","subnet-2"]',
        none: '',
      }),
    ]);
    expect(execution.Outputs).toEqual({
      'Use.Mode': ['both'],
      'Use.Ports': ['80', '81'],
      'Use.Payload': ['{"mode":"both","ports":["80","81"]}'],
    });
    expect(
      account.dispatcher.calls.filter(({ service }) => service !== 'ssm').map(({ accessKeyId }) => accessKeyId),
    ).toEqual(['AKIAEXAMPLE', 'AKIAEXAMPLE']);
  });

  test('a selected value of another type fails the step', async () => {
    const { account } = accountWithFunction();
    const id = await start(account, [
      lambda(
        'A',
        { answer: { mode: ['both'] } },
        { outputs: [{ Name: 'Mode', Selector: '$.Payload.mode', Type: 'String' }] },
      ),
    ]);
    expect((await ended(account, id)).FailureMessage).toContain(
      'Output Mode, selected by $.Payload.mode, is not of type String: ["both"]',
    );
  });

  test('the output of a step that did not run cannot be resolved', async () => {
    const { account } = accountWithFunction();
    const id = await start(account, [
      lambda('A', {}, { nextStep: 'C' }),
      lambda('B'),
      lambda('C', { from: '{{ B.Payload }}' }),
    ]);
    const execution = await ended(account, id);
    expect(path(execution)).toEqual(['A Success', 'C Failed']);
    expect(execution.FailureMessage).toContain('{{ B.Payload }} has no value');
  });
});

test.each([
  [{ Variable: '{{ Word }}', StringEquals: 'both' }, 'Yes'],
  [{ Variable: '{{ Word }}', StringEquals: 'Both' }, 'No'],
  [{ Variable: '{{ Word }}', EqualsIgnoreCase: 'BOTH' }, 'Yes'],
  [{ Variable: '{{ Word }}', StartsWith: 'bo' }, 'Yes'],
  [{ Variable: '{{ Word }}', EndsWith: 'bo' }, 'No'],
  [{ Variable: '{{ Word }}', Contains: 'ot' }, 'Yes'],
  [{ Variable: '{{ Flag }}', BooleanEquals: true }, 'Yes'],
  [{ Variable: '{{ Number }}', NumericGreaterOrEquals: 10 }, 'Yes'],
  [{ Variable: '{{ Number }}', NumericGreater: 10 }, 'No'],
  [{ Not: { Variable: '{{ Flag }}', BooleanEquals: true } }, 'No'],
  [
    {
      And: [
        { Variable: '{{ Flag }}', BooleanEquals: true },
        { Variable: '{{ Number }}', NumericLesser: 10 },
      ],
    },
    'No',
  ],
  [
    {
      Or: [
        { Variable: '{{ Flag }}', BooleanEquals: false },
        { Variable: '{{ Number }}', NumericEquals: 10 },
      ],
    },
    'Yes',
  ],
])('aws:branch with %j goes to %s', async (choice, expected) => {
  const { account } = accountWithFunction();
  const id = await start(
    account,
    [
      { name: 'Choose', action: 'aws:branch', inputs: { Choices: [{ ...choice, NextStep: 'Yes' }], Default: 'No' } },
      lambda('No', {}, { isEnd: true }),
      lambda('Yes'),
    ],
    {
      parameters: {
        Word: { type: 'String', default: 'both' },
        Flag: { type: 'Boolean', default: true },
        Number: { type: 'Integer', default: 10 },
      },
    },
  );
  expect(path(await ended(account, id))).toEqual(['Choose Success', `${expected} Success`]);
});

describe('aws:loop', () => {
  const judge = (more: object = {}): Step => ({
    name: 'Loop',
    action: 'aws:loop',
    inputs: {
      MaxIterations: 5,
      LoopCondition: { Variable: '{{ Judge.Verdict }}', StringEquals: 'wait' },
      Steps: [
        lambda(
          'Judge',
          { round: '{{ Loop.CurrentIteration }}', answer: { verdict: 'wait' } },
          { outputs: [{ Name: 'Verdict', Selector: '$.Payload.verdict', Type: 'String' }], ...more },
        ),
        {
          name: 'Keep',
          action: 'aws:updateVariable',
          inputs: { Name: 'variable:verdict', Value: '{{ Judge.Verdict }}' },
        },
      ],
    },
  });
  const variables = { variables: { verdict: { type: 'String', default: '' } }, outputs: ['variable:verdict'] };

  test('repeats until MaxIterations while its condition is true, and counts from 1', async () => {
    const { account, events } = accountWithFunction();
    const execution = await ended(account, await start(account, [judge()], variables));
    expect(events.map(({ round }) => round)).toEqual([1, 2, 3, 4, 5]);
    expect([execution.AutomationExecutionStatus, execution.Outputs]).toEqual([
      'Success',
      { 'variable:verdict': ['wait'] },
    ]);
    expect(execution.StepExecutions[1].ParentStepDetails).toMatchObject({ StepName: 'Loop', Iteration: 1 });
  });

  test('ends as soon as its condition is false', async () => {
    const { account, events } = accountWithFunction();
    const loop = judge();
    Object.assign(loop.inputs as object, {
      LoopCondition: { Variable: '{{ Loop.CurrentIteration }}', NumericLesser: 2 },
    });
    await ended(account, await start(account, [loop], variables));
    expect(events).toHaveLength(2);
  });

  test('goes through a list', async () => {
    const { account, events } = accountWithFunction();
    const steps = [
      {
        name: 'Each',
        action: 'aws:loop',
        inputs: { Iterators: ['a', 'b'], Steps: [lambda('Do', { value: '{{ Each.CurrentIteratorValue }}' })] },
      },
    ];
    await ended(account, await start(account, steps));
    expect(events.map(({ value }) => value)).toEqual(['a', 'b']);
  });

  test.each([
    [
      'goes where the failing step says',
      { onFailure: 'step:Undo' },
      {},
      ['Loop Failed', 'Judge Failed', 'Undo Success'],
    ],
    [
      'goes where the loop says when the failing step says nothing',
      {},
      { onFailure: 'step:Undo' },
      ['Loop Failed', 'Judge Failed', 'Undo Success'],
    ],
    [
      'aborts with a step that says Abort, whatever the loop says',
      { onFailure: 'Abort' },
      { onFailure: 'step:Undo' },
      ['Loop Failed', 'Judge Failed'],
    ],
  ])('%s', async (_, ofStep, ofLoop, expected) => {
    const { account } = accountWithFunction();
    const loop = {
      ...judge({ ...ofStep, inputs: { FunctionName: 'steps', InputPayload: { step: 'Judge', fail: true } } }),
      ...ofLoop,
    };
    const execution = await ended(
      account,
      await start(account, [loop, lambda('Next', {}, { isEnd: true }), lambda('Undo')], variables),
    );
    expect([path(execution), execution.AutomationExecutionStatus]).toEqual([expected, 'Failed']);
  });

  test('that is cancelled follows the onCancel of the step that runs', async () => {
    const { account } = accountWithFunction();
    const id = await start(
      account,
      [
        judge({
          onCancel: 'step:Undo',
          inputs: { FunctionName: 'steps', InputPayload: { step: 'Judge', waitMs: 2000 } },
        }),
        lambda('Undo'),
      ],
      variables,
    );
    await until(
      () => get(account, id),
      ({ CurrentStepName }) => CurrentStepName === 'Judge',
    );
    await account.call('StopAutomationExecution', { AutomationExecutionId: id });
    const execution = await ended(account, id);
    expect([path(execution), execution.AutomationExecutionStatus]).toEqual([
      ['Loop Cancelled', 'Judge Cancelled', 'Undo Success'],
      'Cancelled',
    ]);
  });

  test('is TimedOut after its own timeoutSeconds, whichever round it is in', async () => {
    const { account } = accountWithFunction();
    const steps = [
      {
        name: 'Loop',
        action: 'aws:loop',
        timeoutSeconds: 1,
        inputs: { Iterators: ['a'], Steps: [{ name: 'Wait', action: 'aws:sleep', inputs: { Duration: 'PT1H' } }] },
      },
    ];
    const execution = await ended(account, await start(account, steps));
    expect([path(execution), execution.AutomationExecutionStatus]).toEqual([
      ['Loop TimedOut', 'Wait TimedOut'],
      'TimedOut',
    ]);
  });
});

describe('aws:runCommand', () => {
  const command = (script: string, more: object = {}): Step => ({
    name: 'Run',
    action: 'aws:runCommand',
    inputs: {
      DocumentName: 'AWS-RunShellScript',
      Targets: [{ Key: 'tag:Fleet', Values: ['{{ Fleet }}'] }],
      Parameters: { commands: script },
    },
    ...more,
  });
  const parameters = { parameters: { Fleet: { type: 'String', default: 'web' } } };

  test('puts out no Output for a tag, and fails with the command', async () => {
    const { account } = accountWithFunction({ instances: 2 });
    const [step] = (await ended(account, await start(account, [command('echo {{ Fleet }}')], parameters)))
      .StepExecutions;
    expect(Object.keys(step.Outputs)).toEqual(['CommandId', 'Status']);
  });

  test('is a Success on a tag that no instance has', async () => {
    const { account } = accountWithFunction();
    const execution = await ended(account, await start(account, [command('exit 1')], parameters, { Fleet: ['none'] }));
    expect(path(execution)).toEqual(['Run Success']);
  });

  test('fails with the command', async () => {
    const { account } = accountWithFunction();
    const execution = await ended(account, await start(account, [command('exit 1')], parameters));
    expect([path(execution), execution.FailureMessage]).toEqual([
      ['Run Failed'],
      expect.stringContaining('ended with the status Failed'),
    ]);
  });

  test.each([
    ['failed', command('exit 1', { onFailure: 'step:Judge' })],
    ['was not over in time', command('sleep 30', { onFailure: 'step:Judge', timeoutSeconds: 1 })],
  ])('that %s has put out its CommandId for the step that judges it', async (_, step) => {
    const { account, events } = accountWithFunction();
    await ended(
      account,
      await start(account, [step, lambda('Judge', { commandId: '{{ Run.CommandId }}' })], parameters),
    );
    expect(events).toEqual([{ step: 'Judge', commandId: account.ssm.commands[0]?.CommandId }]);
  });

  test('that is cancelled ends the command on the machine and follows onCancel', async () => {
    const { account } = accountWithFunction();
    const id = await start(
      account,
      [command('sleep 30', { onCancel: 'step:Undo' }), lambda('Next', {}, { isEnd: true }), lambda('Undo')],
      parameters,
    );
    await until(
      () => account.ssm.commands[0]?.Status,
      (status) => status === 'InProgress',
    );
    await account.call('StopAutomationExecution', { AutomationExecutionId: id, Type: 'Cancel' });
    const execution = await ended(account, id);
    expect([path(execution), execution.AutomationExecutionStatus]).toEqual([
      ['Run Cancelled', 'Undo Success'],
      'Cancelled',
    ]);
    await until(
      () => account.ssm.commands[0]?.Status,
      (status) => status === 'Cancelled',
    );
    await expect(account.call('StopAutomationExecution', { AutomationExecutionId: id })).rejects.toMatchObject({
      code: 'InvalidAutomationStatusUpdateException',
    });
  });
});

describe('StartAutomationExecution', () => {
  const token = '1b671a64-40d5-491e-99b0-da01ff1f3341';
  const account = accountWithFunction().account;
  const call = (input: object) =>
    account.call('StartAutomationExecution', { DocumentName: 'Runbook', Parameters: { Mode: ['both'] }, ...input });

  test('with the same ClientToken is the same execution, and with other parameters refused', async () => {
    await start(
      account,
      [lambda('A')],
      { parameters: { Mode: { type: 'String', allowedValues: ['plain', 'both'] } } },
      { Mode: ['both'] },
    );
    const first = await call({ ClientToken: token });
    expect(await call({ ClientToken: token.toUpperCase() })).toEqual(first);
    await expect(call({ ClientToken: token, Parameters: { Mode: ['plain'] } })).rejects.toMatchObject({
      code: 'IdempotentParameterMismatch',
    });
  });

  test.each([
    [{ ClientToken: 'switch-1' }, 'ValidationException'],
    [{ DocumentName: 'Missing' }, 'AutomationDefinitionNotFoundException'],
    [{ DocumentVersion: '9' }, 'AutomationDefinitionVersionNotFoundException'],
    [{ DocumentName: 'AWS-RunShellScript' }, 'AutomationDefinitionNotFoundException'],
    [{ Parameters: { Mode: ['proxy'] } }, 'InvalidAutomationExecutionParametersException'],
    [{ Parameters: {} }, 'InvalidAutomationExecutionParametersException'],
    [{ Targets: [{ Key: 'tag:Fleet', Values: ['web'] }] }, 'ValidationException'],
  ])('%j is refused as %s', async (input, code) => {
    await expect(call(input)).rejects.toMatchObject({ code });
  });
});

test('a live view is told of each change of state', async () => {
  const { account } = accountWithFunction();
  const seen: string[] = [];
  account.ssm.subscribe((event) =>
    seen.push(event.type === 'step' ? `${event.stepName} ${event.status}` : `${event.type} ${event.status}`),
  );
  await ended(account, await start(account, [lambda('A')]));
  expect(seen).toEqual(['execution InProgress', 'A InProgress', 'A Success', 'execution Success']);
});

test('close ends what runs, on the machines too', async () => {
  const { account } = accountWithFunction();
  const id = await start(account, [
    {
      name: 'Run',
      action: 'aws:runCommand',
      onCancel: 'step:Undo',
      inputs: {
        DocumentName: 'AWS-RunShellScript',
        InstanceIds: [account.instances[0]?.instanceId],
        Parameters: { commands: ['sleep 30'] },
      },
    },
    lambda('Undo'),
  ]);
  await until(
    () => account.ssm.commands[0]?.Status,
    (status) => status === 'InProgress',
  );
  await account.ssm.close();
  expect(path(await get(account, id))).toEqual(['Run Cancelled']);
  expect(account.ssm.commands[0]?.Status).toBe('Cancelled');
});
