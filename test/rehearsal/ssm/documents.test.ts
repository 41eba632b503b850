import { describe, expect, test } from '@jest/globals';
import { UNENFORCED } from '../../../rehearsal/iam/security.ts';
import { createAccount } from './in-process.ts';

const sleep = (name: string, more: object = {}) => ({
  name,
  action: 'aws:sleep',
  inputs: { Duration: 'PT1S' },
  ...more,
});
const runbook = (mainSteps: object[], more: object = {}) => ({ schemaVersion: '0.3', mainSteps, ...more });
const command = (inputs: object, more: object = {}) => ({
  schemaVersion: '2.2',
  mainSteps: [{ name: 'run', action: 'aws:runShellScript', inputs: { runCommand: ['true'], ...inputs } }],
  ...more,
});

describe('CreateDocument', () => {
  test.each([
    [
      'an unknown action',
      'Automation',
      runbook([{ name: 'A', action: 'aws:teleport', inputs: {} }]),
      'mainSteps[0].action: aws:teleport is not supported',
    ],
    [
      'an unknown input',
      'Automation',
      runbook([{ name: 'A', action: 'aws:sleep', inputs: { Duration: 'PT1S', Reason: 'x' } }]),
      'mainSteps[0].inputs.Reason: is not a property',
    ],
    [
      'a missing input',
      'Automation',
      runbook([{ name: 'A', action: 'aws:executeAwsApi', inputs: { Service: 'ec2' } }]),
      'mainSteps[0].inputs.Api: is missing',
    ],
    [
      'an unknown property of a step',
      'Automation',
      runbook([sleep('A', { retries: 3 })]),
      'mainSteps[0].retries: is not a property',
    ],
    [
      'an unknown input in a loop',
      'Automation',
      runbook([
        { name: 'L', action: 'aws:loop', inputs: { Iterators: ['a'], Steps: [sleep('A', { onFail: 'Abort' })] } },
      ]),
      'mainSteps[0].inputs.Steps[0].onFail',
    ],
    [
      'a reference to nothing',
      'Automation',
      runbook([{ name: 'A', action: 'aws:sleep', inputs: { Duration: '{{ Wait }}' } }]),
      '{{ Wait }} is no parameter',
    ],
    [
      "an output of a loop's step outside of it",
      'Automation',
      runbook([
        {
          name: 'L',
          action: 'aws:loop',
          inputs: {
            Iterators: ['a'],
            Steps: [{ name: 'F', action: 'aws:invokeLambdaFunction', inputs: { FunctionName: 'f' } }],
          },
        },
        { name: 'A', action: 'aws:sleep', inputs: { Duration: '{{ F.Payload }}' } },
      ]),
      '{{ F.Payload }} is no parameter, variable or output of a step that can be seen from here',
    ],
    [
      'nextStep to nowhere',
      'Automation',
      runbook([sleep('A', { nextStep: 'B' })]),
      'mainSteps[0].nextStep: there is no step B',
    ],
    [
      'onFailure to nowhere',
      'Automation',
      runbook([sleep('A', { onFailure: 'step:B' })]),
      'mainSteps[0].onFailure: there is no step B',
    ],
    [
      'onCancel to a sleep',
      'Automation',
      runbook([sleep('A', { onCancel: 'step:B' }), sleep('B')]),
      'step B is aws:sleep, to which onCancel cannot go',
    ],
    [
      'onCancel on a loop',
      'Automation',
      runbook([
        { name: 'L', action: 'aws:loop', onCancel: 'Abort', inputs: { Iterators: ['a'], Steps: [sleep('A')] } },
      ]),
      'mainSteps[0].onCancel: is not supported for aws:loop',
    ],
    [
      'steps in a circle',
      'Automation',
      runbook([sleep('A'), sleep('B', { onFailure: 'step:A' })]),
      'infinite loop: A -> B -> A',
    ],
    ['two steps of one name', 'Automation', runbook([sleep('A'), sleep('A')]), 'there are two steps A'],
    [
      '101 rounds',
      'Automation',
      runbook([
        {
          name: 'L',
          action: 'aws:loop',
          inputs: { MaxIterations: 101, LoopCondition: { Variable: 'a', StringEquals: 'a' }, Steps: [sleep('A')] },
        },
      ]),
      'mainSteps[0].inputs.MaxIterations',
    ],
    [
      'a loop with both kinds of end',
      'Automation',
      runbook([
        {
          name: 'L',
          action: 'aws:loop',
          inputs: { Iterators: ['a'], LoopCondition: { Variable: 'a', StringEquals: 'a' }, Steps: [sleep('A')] },
        },
      ]),
      'needs either Iterators or LoopCondition',
    ],
    [
      'a selector that is not evaluated here',
      'Automation',
      runbook([
        {
          name: 'A',
          action: 'aws:executeAwsApi',
          inputs: { Service: 'ec2', Api: 'X' },
          outputs: [{ Name: 'O', Selector: '$.Items[?(@.Id)]', Type: 'String' }],
        },
      ]),
      'outputs[0].Selector: is not a JSONPath',
    ],
    [
      'an unknown output of the runbook',
      'Automation',
      runbook([sleep('A')], { outputs: ['A.Done'] }),
      'outputs[0]: A.Done is no output',
    ],
    ['an unquoted version', 'Command', { ...command({}), schemaVersion: 2.2 }, 'schemaVersion'],
    [
      'ENV_VAR on a list',
      'Command',
      command({}, { parameters: { P: { type: 'StringList', interpolationType: 'ENV_VAR' } } }),
      'parameters.P.interpolationType',
    ],
    [
      'a Boolean parameter in a Command document',
      'Command',
      command({}, { parameters: { P: { type: 'Boolean' } } }),
      'parameters.P.type',
    ],
    [
      'a pattern that does not compile',
      'Command',
      command({}, { parameters: { P: { type: 'String', allowedPattern: '(' } } }),
      'parameters.P.allowedPattern: is not a regular expression',
    ],
    [
      'a parameter that is not declared',
      'Command',
      command({ workingDirectory: '{{ Where }}' }),
      '{{ Where }} is not a parameter of the document',
    ],
    [
      'an unknown plugin',
      'Command',
      { ...command({}), mainSteps: [{ name: 'a', action: 'aws:runPowerShellScript', inputs: {} }] },
      'aws:runPowerShellScript is not supported',
    ],
  ])('refuses %s by name', async (_, DocumentType, content, message) => {
    const { call } = createAccount();
    await expect(
      call('CreateDocument', { Name: 'Test', DocumentType, Content: JSON.stringify(content) }),
    ).rejects.toMatchObject({
      code: 'InvalidDocumentContent',
      message: expect.stringContaining(message),
    });
  });

  test.each([
    ['a reserved name', { Name: 'AWS-Mine' }, 'ValidationException'],
    ['a name with a space', { Name: 'my document' }, 'ValidationException'],
    [
      'more than 64 KB',
      { Content: JSON.stringify(command({ runCommand: ['#'.repeat(65_536)] })) },
      'MaxDocumentSizeExceeded',
    ],
    ['what is no JSON', { Content: '{' }, 'InvalidDocumentContent'],
    ['a type that is not run here', { DocumentType: 'Session' }, 'InvalidDocumentContent'],
  ])('refuses %s', async (_, input, code) => {
    const { call } = createAccount();
    await expect(
      call('CreateDocument', { Name: 'Test', Content: JSON.stringify(command({})), ...input }),
    ).rejects.toMatchObject({ code });
  });

  test('reads YAML as version 1.1: an unquoted On is no text', async () => {
    const { call } = createAccount();
    const yaml = (value: string) =>
      `schemaVersion: "2.2"\nmainSteps:\n- name: run\n  action: aws:runShellScript\n  inputs:\n    runCommand: [${value}]\n`;
    await expect(
      call('CreateDocument', { Name: 'Test', DocumentFormat: 'YAML', Content: yaml('On') }),
    ).rejects.toMatchObject({ code: 'InvalidDocumentContent' });
    await expect(
      call('CreateDocument', { Name: 'Test', DocumentFormat: 'YAML', Content: yaml('"On"') }),
    ).resolves.toMatchObject({ DocumentDescription: { Status: 'Active', SchemaVersion: '2.2' } });
  });
});

test("versions: the default stays until it is moved, the same content is refused, Amazon's cannot be deleted", async () => {
  const { call } = createAccount();
  const content = (line: string) => JSON.stringify(command({ runCommand: [line] }));
  await call('CreateDocument', { Name: 'Test', Content: content('one') });
  await expect(call('CreateDocument', { Name: 'Test', Content: content('one') })).rejects.toMatchObject({
    code: 'DocumentAlreadyExists',
  });
  await call('UpdateDocument', { Name: 'Test', Content: content('two'), DocumentVersion: '$LATEST' });
  await expect(
    call('UpdateDocument', { Name: 'Test', Content: content('one'), DocumentVersion: '$LATEST' }),
  ).rejects.toMatchObject({ code: 'DuplicateDocumentContent' });
  expect((await call('GetDocument', { Name: 'Test' })).Content).toBe(content('one'));
  await call('UpdateDocumentDefaultVersion', { Name: 'Test', DocumentVersion: '2' });
  expect((await call('GetDocument', { Name: 'Test' })).Content).toBe(content('two'));
  await call('DeleteDocument', { Name: 'Test' });
  await expect(call('DescribeDocument', { Name: 'Test' })).rejects.toMatchObject({ code: 'InvalidDocument' });
  await expect(call('DeleteDocument', { Name: 'AWS-RunShellScript' })).rejects.toMatchObject({
    code: 'InvalidDocumentOperation',
  });
});

describe('a parameter of the store', () => {
  test('is created once; overwriting makes a version, of which each can be read', async () => {
    const { call } = createAccount();
    const put = (Value: string, more: object = {}) =>
      call('PutParameter', { Name: '/proxyflip/a', Type: 'String', Value, ...more });
    expect(await put('1')).toEqual({ Version: 1, Tier: 'Standard' });
    await expect(put('2')).rejects.toMatchObject({ code: 'ParameterAlreadyExists' });
    expect(await put('2', { Overwrite: true })).toEqual({ Version: 2, Tier: 'Standard' });
    expect((await call('GetParameter', { Name: '/proxyflip/a' })).Parameter).toMatchObject({ Value: '2', Version: 2 });
    expect((await call('GetParameter', { Name: '/proxyflip/a:1' })).Parameter).toMatchObject({
      Value: '1',
      Version: 1,
      Selector: ':1',
    });
    await call('DeleteParameter', { Name: '/proxyflip/a' });
    await expect(call('GetParameter', { Name: '/proxyflip/a' })).rejects.toMatchObject({ code: 'ParameterNotFound' });
  });

  test('of many made at once without overwrite, one is the first', async () => {
    const { call } = createAccount();
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, (_, index) =>
        call('PutParameter', { Name: 'lock', Type: 'String', Value: String(index) }),
      ),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  test.each([
    [{ Value: 'x'.repeat(4097) }, 'ValidationException'],
    [{ Value: '' }, 'ValidationException'],
    [{ Type: 'SecureString' }, 'UnsupportedParameterType'],
    [{ Name: 'aws-thing' }, 'ValidationException'],
    [{ Name: 'a/b' }, 'ValidationException'],
    [{ AllowedPattern: '[0-9]+' }, 'ParameterPatternMismatchException'],
  ])('%j is refused as %s', async (input, code) => {
    const { call } = createAccount();
    await expect(call('PutParameter', { Name: 'a', Type: 'String', Value: 'b', ...input })).rejects.toMatchObject({
      code,
    });
  });

  test('is listed by its path, of one level or all', async () => {
    const { call } = createAccount();
    for (const Name of ['/p/a', '/p/b/c', '/pq']) await call('PutParameter', { Name, Type: 'String', Value: 'x' });
    const names = async (Recursive: boolean) =>
      (await call('GetParametersByPath', { Path: '/p', Recursive })).Parameters.map(
        ({ Name }: { Name: string }) => Name,
      );
    expect(await names(false)).toEqual(['/p/a']);
    expect(await names(true)).toEqual(['/p/a', '/p/b/c']);
  });
});

describe('DescribeInstanceInformation', () => {
  test.each([
    [[{ Key: 'PingStatus', Values: ['Online'] }], ['web-1']],
    [[{ Key: 'PingStatus', Values: ['ConnectionLost'] }], ['web-2', 'web-3']],
    [
      [
        { Key: 'tag:Fleet', Values: ['web'] },
        { Key: 'tag:Name', Values: ['web-3'] },
      ],
      ['web-3'],
    ],
    [[{ Key: 'InstanceIds', Values: ['i-00000000000000002'] }], ['web-2']],
  ])('with %j lists %j', async (Filters, expected) => {
    const { call, instances } = createAccount({ instances: 3 });
    if (instances[1]) instances[1].agentOnline = false;
    if (instances[2]) instances[2].machine.isOn = false;
    const { InstanceInformationList } = await call('DescribeInstanceInformation', { Filters });
    expect(InstanceInformationList.map(({ ComputerName }: { ComputerName: string }) => ComputerName)).toEqual(expected);
  });

  test('pages', async () => {
    const { call } = createAccount({ instances: 7 });
    const first = await call('DescribeInstanceInformation', { MaxResults: 5 });
    const second = await call('DescribeInstanceInformation', { MaxResults: 5, NextToken: first.NextToken });
    expect([first.InstanceInformationList.length, second.InstanceInformationList.length, second.NextToken]).toEqual([
      5,
      2,
      undefined,
    ]);
  });
});

test('an association reads what it refers to at each run, holds it to the document, and runs again when it is updated', async () => {
  const { call, ssm } = createAccount();
  const content = {
    schemaVersion: '2.2',
    parameters: {
      Joining: { type: 'String', default: 'wait', allowedPattern: '^[a-z]*$' },
      Variable: { type: 'String', default: '', interpolationType: 'ENV_VAR' },
    },
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: 'Say',
        inputs: { runCommand: [`echo '{{ Joining }}' "$SSM_Variable"`] },
      },
    ],
  };
  await call('CreateDocument', { Name: 'say', DocumentType: 'Command', Content: JSON.stringify(content) });
  const association = {
    Name: 'say',
    Targets: [{ Key: 'tag:Fleet', Values: ['web'] }],
    Parameters: { Joining: ['{{ssm:/joining/web}}'], Variable: ['{{ssm:/joining/web}}'] },
    ScheduleExpression: 'rate(30 minutes)',
  };
  const wait = () => new Promise((resolve) => setTimeout(resolve, 700));
  const { AssociationDescription } = await call('CreateAssociation', association);
  await wait();
  for (const Value of ['both', 'proxy', "no'quote"]) {
    await call('PutParameter', { Name: '/joining/web', Value, Type: 'String', Overwrite: true });
    await call('UpdateAssociation', { ...association, AssociationId: AssociationDescription.AssociationId });
    await wait();
  }

  const said = await Promise.all(
    ssm.commands.map(async ({ CommandId }) => {
      const { CommandInvocations } = await call('ListCommandInvocations', { CommandId, Details: true });
      return CommandInvocations[0].CommandPlugins[0].Output.trim();
    }),
  );
  expect(said.reverse()).toEqual([
    expect.stringContaining('Input contains invalid parameters [/joining/web]'),
    'both {{ssm:/joining/web}}',
    'proxy {{ssm:/joining/web}}',
    expect.stringContaining('which does not match ^[a-z]*$'),
  ]);
  await expect(
    call('CreateAssociation', { ...association, ScheduleExpression: 'rate(10 minutes)' }),
  ).rejects.toMatchObject({ code: 'InvalidSchedule' });
  await ssm.close();
});

test('an association is applied to an instance when it comes online, again after it was away', async () => {
  const { call, instances, ssm } = createAccount();
  const [instance] = instances;
  if (!instance) throw new Error('there is an instance');
  instance.agentOnline = false;
  const { AssociationDescription } = await call('CreateAssociation', {
    Name: 'AWS-RunShellScript',
    Targets: [{ Key: 'tag:Fleet', Values: ['web'] }],
    Parameters: { commands: ['true'] },
  });
  const wait = () => new Promise((resolve) => setTimeout(resolve, 600));
  await wait();
  expect(ssm.commands).toHaveLength(0);
  for (const count of [1, 2]) {
    instance.agentOnline = true;
    await wait();
    expect(ssm.commands).toHaveLength(count);
    instance.agentOnline = false;
    await wait();
  }
  expect(
    (await call('DescribeAssociation', { AssociationId: AssociationDescription.AssociationId })).AssociationDescription
      .Overview.Status,
  ).toBe('Success');
  await ssm.close();
});

test('what an association refers to is read with the role of the instance', async () => {
  const asked: unknown[] = [];
  const { call, ssm } = createAccount({
    instanceSession: (instanceId) => `ASIA:web:${instanceId}`,
    security: {
      ...UNENFORCED,
      refusal: (accessKeyId, permission) => {
        asked.push([accessKeyId, permission]);
        return 'not authorized';
      },
    },
  });
  const content = {
    schemaVersion: '2.2',
    parameters: { Joining: { type: 'String', default: 'wait' } },
    mainSteps: [{ action: 'aws:runShellScript', name: 'Say', inputs: { runCommand: [`echo '{{ Joining }}'`] } }],
  };
  await call('CreateDocument', { Name: 'say', DocumentType: 'Command', Content: JSON.stringify(content) });
  await call('PutParameter', { Name: '/joining/web', Value: 'both', Type: 'String' });
  const { Command } = await call('SendCommand', {
    DocumentName: 'say',
    Targets: [{ Key: 'tag:Fleet', Values: ['web'] }],
    Parameters: { Joining: ['{{ssm:/joining/web}}'] },
  });
  await new Promise((resolve) => setTimeout(resolve, 500));

  const { CommandInvocations } = await call('ListCommandInvocations', { CommandId: Command.CommandId, Details: true });
  expect(CommandInvocations[0]).toMatchObject({ Status: 'Failed' });
  expect(asked).toEqual([
    [
      'ASIA:web:i-00000000000000001',
      { action: 'ssm:GetParameters', resource: 'arn:aws:ssm:eu-central-1:111122223333:parameter/joining/web' },
    ],
  ]);
  await ssm.close();
});
