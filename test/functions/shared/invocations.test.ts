import { describe, expect, test } from '@jest/globals';
import {
  answerOf,
  awaitInvocations,
  complaintOf,
  type Invocation,
  unconfirmed,
  wordsOf,
} from '../../../functions/shared/invocations.ts';
import { FakeAws } from '../fake-aws.ts';

const invocation = (output: string, status = 'Success'): Invocation => ({
  instanceId: 'i-1',
  status,
  statusDetails: '',
  output,
});

describe('answerOf', () => {
  test.each([
    { desc: 'the last line', output: 'installing\n{"mode":"both"}\n', is: { mode: 'both' } },
    {
      desc: 'with standard error behind it, as the agent writes',
      output: '{"mode":"both"}\n\n----------ERROR-------\nwarning: x\n',
      is: { mode: 'both' },
    },
    { desc: 'not JSON', output: 'mode both', is: undefined },
    { desc: 'cut off', output: '{"mode":"bo', is: undefined },
    { desc: 'an object that is not last', output: '{"mode":"both"}\nbut then this', is: undefined },
    { desc: 'nothing', output: '', is: undefined },
    { desc: 'JSON that is no object', output: '7', is: undefined },
  ])('$desc', ({ output, is }) => {
    expect(answerOf(invocation(output))).toEqual(is);
  });
});

test('the complaint is standard error where there is one, and its end where it is long', () => {
  expect(complaintOf(invocation('words\n----------ERROR-------\nnginx: [emerg] bad\n'))).toBe('nginx: [emerg] bad');
  expect(complaintOf(invocation(`${'x'.repeat(1000)}END`))).toMatch(/^… x+END$/);
});

test.each([
  ['exactly as long as is allowed: whole', 'x'.repeat(400), 'x'.repeat(400)],
  ['longer: its end', `begin ${'x'.repeat(400)}`, `… ${'x'.repeat(400)}`],
  ['blank standard error: standard output', 'words \n----------ERROR-------\n \n', 'words'],
])('a complaint, %s', (_, output, is) => expect(complaintOf(invocation(output))).toBe(is));

test('words are what stands before the answer', () => {
  expect(wordsOf(invocation('one\ntwo\n{"mode":"both"}\n\n----------ERROR-------\nwarning\n'))).toBe('one\ntwo');
  expect(wordsOf(invocation('{}'))).toBe('');
});

test('a list of several pages is read to its end, and asks for details', async () => {
  const inputs: unknown[] = [];
  const page = (id: string, more: object) => ({
    CommandInvocations: [
      { InstanceId: id, Status: 'Success', StatusDetails: 'Success', CommandPlugins: [{}, { Output: '{}' }] },
    ],
    ...more,
  });
  const pages = [page('i-1', { NextToken: 'two' }), page('i-2', { NextToken: '' })];
  const client = {
    async send({ input }: { input: unknown }) {
      inputs.push(input);
      return pages.shift();
    },
  };

  const found = await awaitInvocations(
    client as never,
    { now: () => 0, sleep: async () => {} },
    'command-1',
    ['i-1', 'i-2'],
    0,
  );

  expect([...found.values()]).toEqual([
    { instanceId: 'i-1', status: 'Success', statusDetails: 'Success', output: '{}' },
    { instanceId: 'i-2', status: 'Success', statusDetails: 'Success', output: '{}' },
  ]);
  expect(inputs).toEqual([
    { CommandId: 'command-1', Details: true, MaxResults: 50 },
    { CommandId: 'command-1', Details: true, MaxResults: 50, NextToken: 'two' },
  ]);
});

test('an answer without a list is an empty one; an entry with gaps, of one that has not ended and says nothing', async () => {
  const answers = [{}, { CommandInvocations: [{ InstanceId: 'i-1' }] }];
  const client = { send: async () => answers.shift() };
  const list = () =>
    awaitInvocations(client as never, { now: () => 0, sleep: async () => {} }, 'command-1', ['i-1'], 0);

  expect(await list()).toEqual(new Map());
  expect(await list()).toEqual(
    new Map([['i-1', { instanceId: 'i-1', status: 'Pending', statusDetails: '', output: '' }]]),
  );
});

describe('awaitInvocations', () => {
  test('waits for a list that fills late', async () => {
    const aws = new FakeAws();
    aws.onSleep = () => aws.answer('c', { 'i-1': { mode: 'both' } });
    const found = await awaitInvocations(aws.ssm, aws.clock, 'c', ['i-1'], 10_000);
    expect([...found.keys()]).toEqual(['i-1']);
  });

  test.each(['Pending', 'InProgress', 'Delayed', 'Cancelling'])(
    'waits for the last one, which is %s',
    async (status) => {
      const aws = new FakeAws();
      aws.answer('c', { 'i-1': { mode: 'both' }, 'i-2': { status, output: '' } });
      aws.onSleep = () => aws.answer('c', { 'i-1': { mode: 'both' }, 'i-2': { status: 'Failed', output: 'no' } });
      const found = await awaitInvocations(aws.ssm, aws.clock, 'c', ['i-1', 'i-2'], 10_000);
      expect([...found.values()].map((each) => each.status)).toEqual(['Success', 'Failed']);
    },
  );

  test('and no longer than it was told', async () => {
    const aws = new FakeAws();
    const from = aws.now;
    expect((await awaitInvocations(aws.ssm, aws.clock, 'c', ['i-1'], 10_000)).size).toBe(0);
    expect(aws.now - from).toBe(10_000);
  });

  test('does not wait for instances that are not registered', async () => {
    const aws = new FakeAws();
    const from = aws.now;
    aws.answer('c', { 'i-1': { mode: 'both' }, 'i-2': { status: 'Pending', output: '' } });
    await awaitInvocations(aws.ssm, aws.clock, 'c', ['i-1'], 10_000);
    expect(aws.now).toBe(from);
  });
});

describe('unconfirmed', () => {
  const of = (...all: Invocation[]) => new Map(all.map((each, index) => [`i-${index + 1}`, each]));
  const failed = (why: string) => ({ notAsked: [], failed: [{ instanceId: 'i-1', why }] });
  test.each([
    {
      desc: 'all in the mode',
      answers: of(invocation('{"mode":"both"}'), invocation('{"mode":"both"}')),
      ids: ['i-1', 'i-2'],
      is: { notAsked: [], failed: [] },
    },
    {
      desc: 'another mode',
      answers: of(invocation('{"mode":"plain"}')),
      ids: ['i-1'],
      is: failed('answered mode "plain": {"mode":"plain"}'),
    },
    {
      desc: 'success without an answer',
      answers: of(invocation('ok')),
      ids: ['i-1'],
      is: failed('answered mode undefined: ok'),
    },
    {
      desc: 'failed',
      answers: of(invocation('no tproxy module', 'Failed')),
      ids: ['i-1'],
      is: failed('Failed: no tproxy module'),
    },
    {
      desc: 'failed, and Systems Manager says more of it',
      answers: of({ ...invocation('', 'TimedOut'), statusDetails: 'DeliveryTimedOut' }),
      ids: ['i-1'],
      is: failed('DeliveryTimedOut: '),
    },
    { desc: 'not asked is no failure', answers: of(), ids: ['i-1'], is: { notAsked: ['i-1'], failed: [] } },
    {
      desc: 'deregistered instances do not count',
      answers: of(invocation('', 'Failed')),
      ids: [],
      is: { notAsked: [], failed: [] },
    },
  ])('$desc', ({ answers, ids, is }) => {
    expect(unconfirmed(ids, answers, 'both')).toEqual(is);
  });
});
