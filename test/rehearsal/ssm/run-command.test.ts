import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createS3Service } from '../../../rehearsal/s3/service.ts';
import { combined } from '../../../rehearsal/ssm/run-command/output.ts';
import { commandStatus, type InvocationDetails } from '../../../rehearsal/ssm/run-command/statuses.ts';
import { type Account, type Answer, createAccount, until } from './in-process.ts';

const document = (lines: string[], more: object = {}, inputs: object = {}) =>
  JSON.stringify({
    schemaVersion: '2.2',
    ...more,
    mainSteps: [{ action: 'aws:runShellScript', name: 'run', inputs: { runCommand: lines, ...inputs } }],
  });

async function run(account: Account, content: string, input: object = {}) {
  await account.call('CreateDocument', { Name: 'Test', Content: content, DocumentType: 'Command' });
  const { Command } = await account.call('SendCommand', {
    DocumentName: 'Test',
    Targets: [{ Key: 'tag:Fleet', Values: ['web'] }],
    ...input,
  });
  return Command.CommandId as string;
}

const ended = (account: Account, CommandId: string) =>
  until(
    async () => (await account.call('ListCommands', { CommandId })).Commands[0],
    ({ Status }) => !['Pending', 'InProgress', 'Cancelling'].includes(Status),
  );

const invocations = async (account: Account, CommandId: string) =>
  (await account.call('ListCommandInvocations', { CommandId, Details: true })).CommandInvocations;

describe('a command', () => {
  test('really runs its script on each instance of the tag', async () => {
    const account = createAccount({ instances: 3 });
    const id = await run(account, document(['echo "$AWS_SSM_INSTANCE_ID"']));
    expect(await ended(account, id)).toMatchObject({
      Status: 'Success',
      TargetCount: 3,
      CompletedCount: 3,
      ErrorCount: 0,
    });
    const outputs = (await invocations(account, id)).map((each: Answer) => [
      each.InstanceId,
      each.CommandPlugins[0].Output,
    ]);
    expect(outputs).toEqual(account.instances.map(({ instanceId }) => [instanceId, `${instanceId}\n`]));
  });

  test('runs the script by its shebang line', async () => {
    const account = createAccount();
    const id = await run(account, document(['#!/bin/bash', 'echo $BASH_VERSINFO']));
    await ended(account, id);
    expect((await invocations(account, id))[0].CommandPlugins[0].Output).toMatch(/^[3-9]\n$/);
  });

  test('is not split by MaxConcurrency 1, and sends no more after the first error', async () => {
    const account = createAccount({ instances: 3 });
    const id = await run(account, document(['exit 3']), { MaxConcurrency: '1' });
    expect(await ended(account, id)).toMatchObject({ Status: 'Failed', ErrorCount: 1 });
    expect((await invocations(account, id)).map((each: Answer) => each.StatusDetails)).toEqual([
      'Failed',
      'Terminated',
      'Terminated',
    ]);
    expect((await invocations(account, id))[0].CommandPlugins[0]).toMatchObject({
      ResponseCode: 3,
      Output: '\n----------ERROR-------\nfailed to run commands: exit status 3',
    });
  });

  test('to a tag that no instance has is a Success with no invocation', async () => {
    const account = createAccount();
    const id = await run(account, document(['true']), { Targets: [{ Key: 'tag:Fleet', Values: ['none'] }] });
    expect(await ended(account, id)).toMatchObject({
      Status: 'Success',
      StatusDetails: 'NoInstancesInTag',
      TargetCount: 0,
    });
    expect(await invocations(account, id)).toEqual([]);
  });

  test('has no invocation to be seen right after it was sent', async () => {
    const account = createAccount({ options: { lateInvocationMs: 150 } });
    const CommandId = await run(account, document(['true']));
    expect(await invocations(account, CommandId)).toEqual([]);
    const InstanceId = account.instances[0]?.instanceId;
    await expect(account.call('GetCommandInvocation', { CommandId, InstanceId })).rejects.toMatchObject({
      code: 'InvocationDoesNotExist',
    });
    await ended(account, CommandId);
    // The command may have ended before its invocations can be seen.
    while ((await invocations(account, CommandId)).length === 0) await sleep(20);
    expect(await account.call('GetCommandInvocation', { CommandId, InstanceId })).toMatchObject({
      Status: 'Success',
      ResponseCode: 0,
    });
  });

  test('waits for an agent that is away, then is DeliveryTimedOut', async () => {
    const account = createAccount({ instances: 2, options: { deliveryTimeoutMs: 150 } });
    if (account.instances[1]) account.instances[1].agentOnline = false;
    const id = await run(account, document(['true']));
    expect(await ended(account, id)).toMatchObject({
      Status: 'TimedOut',
      StatusDetails: 'DeliveryTimedOut',
      DeliveryTimedOutCount: 1,
    });
    expect((await invocations(account, id)).map((each: Answer) => each.StatusDetails)).toEqual([
      'Success',
      'DeliveryTimedOut',
    ]);
  });

  test('does not reach an instance that no agent has registered, which nobody knows', async () => {
    const account = createAccount({ instances: 2 });
    const [known, unknown] = account.instances.map((each) => each.instanceId);
    const instance = account.world.instances.get(unknown ?? '');
    if (instance !== undefined) account.world.instances.set(instance.instanceId, { ...instance, isManaged: false });
    const { InstanceInformationList } = await account.call('DescribeInstanceInformation', {});
    expect(InstanceInformationList.map((each: Answer) => each.InstanceId)).toEqual([known]);
    const id = await run(account, document(['true']));
    expect(await ended(account, id)).toMatchObject({ Status: 'Success', TargetCount: 1 });
    await expect(account.call('SendCommand', { DocumentName: 'Test', InstanceIds: [unknown] })).rejects.toMatchObject({
      code: 'InvalidInstanceId',
    });
  });

  test('that could not be delivered to one of two instances is a Success', async () => {
    const account = createAccount({ instances: 2, options: { isUndeliverable: ({ tags }) => tags.Name === 'web-2' } });
    const id = await run(account, document(['true']));
    expect(await ended(account, id)).toMatchObject({ Status: 'Success', StatusDetails: 'Success' });
    expect((await invocations(account, id)).map((each: Answer) => each.StatusDetails)).toEqual([
      'Success',
      'Undeliverable',
    ]);
  });

  test('whose script takes longer than its timeoutSeconds is ExecutionTimedOut', async () => {
    const account = createAccount();
    const id = await run(account, document(['sleep 20'], {}, { timeoutSeconds: '1' }));
    expect(await ended(account, id)).toMatchObject({
      Status: 'TimedOut',
      StatusDetails: 'ExecutionTimedOut',
      ErrorCount: 1,
    });
  });

  test('that is cancelled ends what runs on the machine', async () => {
    const account = createAccount();
    const id = await run(account, document(['sleep 20']));
    await until(
      () => account.ssm.commands[0]?.Status,
      (status) => status === 'InProgress',
    );
    await account.call('CancelCommand', { CommandId: id });
    expect(await ended(account, id)).toMatchObject({ Status: 'Cancelled', StatusDetails: 'Cancelled' });
    expect((await invocations(account, id))[0]).toMatchObject({ Status: 'Cancelled' });
  });

  test('whose script ends with 194 reboots the machine and is run again', async () => {
    const account = createAccount();
    const id = await run(account, document(['[ -e "$0.before" ] && exit 0', 'touch "$0.before"', 'exit 194']));
    expect(await ended(account, id)).toMatchObject({ Status: 'Success' });
    expect(account.instances[0]?.machine.reboots).toBe(1);
  });

  test('whose machine goes down under the script for good ends with the script’s time', async () => {
    const account = createAccount();
    const id = await run(account, document(['sleep 0.3; exit 255'], {}, { timeoutSeconds: '1' }));
    const { machine } = account.instances[0] ?? {};
    await until(
      async () => (await invocations(account, id))[0]?.CommandPlugins[0],
      (plugin) => plugin?.Status === 'InProgress',
    );
    if (machine) machine.isOn = false;

    expect(await ended(account, id)).toMatchObject({ Status: 'TimedOut' });
    expect((await invocations(account, id))[0].CommandPlugins[0].StatusDetails).toBe('ExecutionTimedOut');
  });
});

test('invocations are not looked for by what cannot be a command’s id', async () => {
  const account = createAccount();
  await run(account, document(['true']));

  await expect(account.call('ListCommandInvocations', { CommandId: '' })).rejects.toThrow("'' at 'commandId'");
  expect(await invocations(account, '11111111-2222-3333-4444-555555555555')).toEqual([]);
});

describe('a document with several steps', () => {
  const step = (name: string, runCommand: string, more: object = {}, inputs: object = {}) => ({
    name,
    action: 'aws:runShellScript',
    ...more,
    inputs: { runCommand: [runCommand], ...inputs },
  });
  const onWindows = { precondition: { StringEquals: ['platformType', 'Windows'] } };

  test.each([
    ['goes on after a step that failed', [step('a', 'exit 1'), step('b', 'true')], ['Failed', 'Success'], 'Failed'],
    [
      'ends with onFailure exit',
      [step('a', 'exit 1', {}, { onFailure: 'exit' }), step('b', 'true')],
      ['Failed', 'Success'],
      'Failed',
    ],
    [
      'skips a step for another platform',
      [step('a', 'exit 1', onWindows), step('b', 'true')],
      ['Success', 'Success'],
      'Success',
    ],
    [
      'forgives with successAndExit',
      [step('a', 'exit 1', {}, { onFailure: 'successAndExit' }), step('b', 'exit 1')],
      ['Success', 'Success'],
      'Success',
    ],
  ])('%s', async (_, mainSteps, plugins, status) => {
    const account = createAccount();
    const id = await run(account, JSON.stringify({ schemaVersion: '2.2', mainSteps }));
    expect((await ended(account, id)).Status).toBe(status);
    expect((await invocations(account, id))[0].CommandPlugins.map((each: Answer) => each.Status)).toEqual(plugins);
  });

  test('downloads from S3 with aws:downloadContent, into the directory that is named', async () => {
    const s3 = createS3Service();
    await s3.putObject('artifacts', 'chat/file.txt', Buffer.from('content'));
    const server = createServer(s3.listener);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const account = createAccount({
      options: { s3Endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    });
    const destinationPath = `${account.instances[0]?.machine.directory}/downloads/`;
    const path = 'https://s3.eu-central-1.amazonaws.com/artifacts/chat/file.txt';
    const mainSteps = [
      {
        name: 'get',
        action: 'aws:downloadContent',
        inputs: { sourceType: 'S3', sourceInfo: { path }, destinationPath },
      },
      step('show', `cat ${destinationPath}file.txt`),
    ];
    const id = await run(account, JSON.stringify({ schemaVersion: '2.2', mainSteps }));
    await ended(account, id);
    server.closeAllConnections();
    server.close();
    await s3.close();
    expect((await invocations(account, id))[0].CommandPlugins[1].Output).toBe('content');
  });
});

describe('a parameter', () => {
  const parameters = {
    parameters: { Word: { type: 'String', interpolationType: 'ENV_VAR', allowedPattern: '^[a-z$()]+$' } },
  };

  test.each([
    ['an agent that knows ENV_VAR has the value as a variable', '3.3.2746.0', 'variable=$(id) text={{ Word }}\n'],
    ['an older agent splices it into the script, where it is run', '3.3.2745.0', /^variable= text=uid=/],
  ])('%s', async (_, version, expected) => {
    const account = createAccount({ options: { agentVersion: () => version } });
    const id = await run(account, document(['echo "variable=$SSM_Word text={{ Word }}"'], parameters), {
      Parameters: { Word: ['$(id)'] },
    });
    await ended(account, id);
    const [{ CommandPlugins }] = await invocations(account, id);
    if (typeof expected === 'string') expect(CommandPlugins[0].Output).toBe(expected);
    else expect(CommandPlugins[0].Output).toMatch(expected);
  });

  test.each([
    [{ Word: ['A;B'] }, 'does not match ^[a-z$()]+$'],
    [{}, 'Parameters [Word] are required'],
    [{ Word: ['a'], Other: ['b'] }, 'Parameters [Other] are not defined'],
    [{ Word: ['a', 'b'] }, 'takes one value, not 2'],
  ])('%j is refused as InvalidParameters', async (Parameters, message) => {
    const account = createAccount();
    await expect(run(account, document(['true'], parameters), { Parameters })).rejects.toMatchObject({
      code: 'InvalidParameters',
      message: expect.stringContaining(message),
    });
  });
});

describe('SendCommand', () => {
  test.each([
    [{ Targets: undefined, InstanceIds: ['i-00000000000000009'] }, 'InvalidInstanceId'],
    [
      { Targets: undefined, InstanceIds: Array.from({ length: 51 }, () => 'i-00000000000000001') },
      'ValidationException',
    ],
    [{ Targets: undefined }, 'ValidationException'],
    [{ TimeoutSeconds: 29 }, 'ValidationException'],
    [{ MaxConcurrency: '0' }, 'ValidationException'],
    [{ MaxErrors: '-1' }, 'ValidationException'],
    [{ DocumentName: 'Missing' }, 'InvalidDocument'],
    [{ DocumentVersion: '7' }, 'InvalidDocumentVersion'],
    [{ OutputS3BucketName: 'logs' }, 'ValidationException'],
  ])('%j is refused as %s', async (input, code) => {
    const account = createAccount();
    await expect(run(account, document(['true']), input)).rejects.toMatchObject({ code });
  });

  test('AWS-RunShellScript is there, as Amazon has it', async () => {
    const account = createAccount();
    const { Command } = await account.call('SendCommand', {
      DocumentName: 'AWS-RunShellScript',
      InstanceIds: [account.instances[0]?.instanceId],
      Parameters: { commands: ['echo one', 'echo two'] },
    });
    await ended(account, Command.CommandId);
    expect((await invocations(account, Command.CommandId))[0].CommandPlugins[0].Output).toBe('one\ntwo\n');
  });
});

describe('the status of a command', () => {
  const table: [string, InvocationDetails[], number, string, string][] = [
    ['all well', ['Success', 'Success'], 0, 'Success', 'Success'],
    ['no target', [], 0, 'Success', 'NoInstancesInTag'],
    [
      'four undeliverable and one well',
      ['Undeliverable', 'Undeliverable', 'Undeliverable', 'Undeliverable', 'Success'],
      0,
      'Success',
      'Success',
    ],
    ['all undeliverable', ['Undeliverable'], 0, 'Failed', 'Failed'],
    ['fewer errors than MaxErrors', ['Failed', 'Success'], 2, 'Failed', 'Incomplete'],
    ['as many errors as MaxErrors', ['Failed', 'Failed', 'Success'], 2, 'Failed', 'Failed'],
    ['a timeout and a failure', ['ExecutionTimedOut', 'Failed'], 0, 'Failed', 'Failed'],
  ];
  test.each(table)('%s', (_, details, maxErrors, status, statusDetails) => {
    expect(commandStatus(details, maxErrors, false)).toEqual({ status, details: statusDetails });
  });
});

describe('the output in ListCommandInvocations', () => {
  test.each([
    ['long standard output', 'o'.repeat(9000), ''],
    ['long standard error', 'short', 'e'.repeat(9000)],
    ['both long', 'o'.repeat(9000), 'e'.repeat(9000)],
  ])('%s is cut to 2,500 characters, and the beginning kept', (_, stdout, stderr) => {
    const output = combined(stdout, stderr);
    expect(output.length).toBeLessThanOrEqual(2500);
    expect(output.length).toBeGreaterThan(2490);
    expect(output.startsWith(stdout.slice(0, 5))).toBe(true);
    expect(output).toContain('--output truncated--');
  });
});
