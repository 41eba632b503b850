/** Asking the instances: every one that is asked for has an answer, or a reason why it has none. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { askReceivers } from '../../../functions/drift-check/ask-receivers.ts';
import { FakeAws, FakeError, type FakeInvocation } from '../fake-aws.ts';
import { receiver } from './situations.ts';

let aws: FakeAws;

const ask = async (...instanceIds: string[]) =>
  Object.fromEntries(
    await askReceivers(
      { ssm: aws.ssm, clock: aws.clock, documentName: 'proxyflip-inspect', since: 1_795_000_000 },
      instanceIds,
    ),
  );
const inputs = (action: string) => aws.calls.filter((call) => call.action === action).map(({ input }) => input);

beforeEach(() => {
  aws = new FakeAws();
  aws.answersTo = () => receiver();
});

test('those that Systems Manager reaches are asked, and of the others it says why not', async () => {
  aws.addInstance('i-1');
  aws.addInstance('i-lost', { pingStatus: 'ConnectionLost' });
  aws.addInstance('i-2');

  expect(await ask('i-1', 'i-2', 'i-lost', 'i-stranger')).toEqual({
    'i-1': receiver(),
    'i-2': receiver(),
    'i-lost': { unreachable: 'its Systems Manager agent is ConnectionLost' },
    'i-stranger': { unreachable: 'Systems Manager does not know the instance' },
  });
  expect(inputs('SendCommand')).toEqual([
    {
      DocumentName: 'proxyflip-inspect',
      InstanceIds: ['i-1', 'i-2'],
      Parameters: { Since: ['1795000000'] },
      TimeoutSeconds: 30,
      MaxConcurrency: '100%',
      MaxErrors: '100%',
      Comment: 'proxyflip drift check',
    },
  ]);
});

test('without one that it reaches no command is sent', async () => {
  expect(await ask('i-stranger')).toEqual({
    'i-stranger': { unreachable: 'Systems Manager does not know the instance' },
  });
  expect(inputs('SendCommand')).toEqual([]);
});

test('a command is for 50 instances, and so is the question which of them are there', async () => {
  const ids = Array.from({ length: 120 }, (_, index) => aws.addInstance(`i-${index}`));

  expect(Object.keys(await ask(...ids))).toEqual(ids);
  const groups = [ids.slice(0, 50), ids.slice(50, 100), ids.slice(100)];
  expect(inputs('SendCommand').map(({ InstanceIds }) => InstanceIds)).toEqual(groups);
  expect(inputs('DescribeInstanceInformation')).toEqual(
    groups.map((Values) => ({ Filters: [{ Key: 'InstanceIds', Values }], MaxResults: 50 })),
  );
});

test.each<[string, '' | undefined]>([
  ['is empty', ''],
  ['is left out', undefined],
])('which of them are there is read page by page, until the token %s', async (_desc, last) => {
  aws.addInstance('i-1');
  aws.addInstance('i-2');
  aws.addInstance('i-3');
  aws.pages = { size: 1, last };

  expect(await ask('i-1', 'i-2', 'i-3')).toEqual({ 'i-1': receiver(), 'i-2': receiver(), 'i-3': receiver() });
  expect(inputs('DescribeInstanceInformation').map(({ NextToken }) => NextToken)).toEqual([undefined, '1', '2']);
});

test('a command that is refused for one of its instances says so of all of them', async () => {
  aws.addInstance('i-1');
  aws.addInstance('i-2');
  aws.fault = (action) => {
    if (action === 'SendCommand') throw new FakeError('InvalidInstanceId');
  };

  const why = { unreachable: 'the command was refused: fake InvalidInstanceId' };
  expect(await ask('i-1', 'i-2')).toEqual({ 'i-1': why, 'i-2': why });
});

test('a command that is refused for another reason is an error', async () => {
  aws.addInstance('i-1');
  aws.fault = (action) => {
    if (action === 'SendCommand') throw new FakeError('InvalidDocument');
  };

  await expect(ask('i-1')).rejects.toThrow('InvalidDocument');
});

describe('what is no answer', () => {
  test.each<[string, FakeInvocation, string]>([
    [
      'a command that was not delivered',
      { status: 'TimedOut', details: 'DeliveryTimedOut', output: '' },
      'DeliveryTimedOut',
    ],
    [
      'a script that failed',
      { status: 'Failed', output: 'looking\n----------ERROR-------\nno bash\n' },
      'Failed: no bash',
    ],
    ['a status without details', { status: 'Failed', details: '', output: 'no bash' }, 'Failed: no bash'],
    ['words', { status: 'Success', output: 'hello\n' }, 'Success: hello'],
    ['an answer of another version', { status: 'Success', output: '{"version":2}\n' }, 'Success: {"version":2}'],
    [
      'an answer that is cut off: 200 characters of it are given',
      { status: 'Success', output: `${'x'.repeat(2300)}${'y'.repeat(200)}` },
      `Success: … ${'y'.repeat(200)}`,
    ],
  ])('%s', async (_desc, invocation, unreachable) => {
    aws.addInstance('i-1');
    aws.answersTo = () => invocation;

    expect(await ask('i-1')).toEqual({ 'i-1': { unreachable } });
  });

  test('none, for a hundred seconds after the first look', async () => {
    aws.addInstance('i-1');
    aws.onSleep = () => aws.commands.get('command-1')?.clear();
    const begun = aws.now;

    expect(await ask('i-1')).toEqual({ 'i-1': { unreachable: 'Systems Manager has no answer of it' } });
    expect(aws.now - begun).toBe(103_000);
  });
});
