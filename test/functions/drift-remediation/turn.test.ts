/** Whose turn it is: one load balancer's at a time, and nobody's for ever. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { endTurn, keepTurn, takeTurn } from '../../../functions/drift-remediation/turn.ts';
import { FakeAws, FakeError } from '../fake-aws.ts';

const NAME = '/proxyflip/drift/remediating';
const NOW = '2026-11-21T12:00:00.000Z';
const OURS = { loadBalancer: 'web', at: NOW };

let aws: FakeAws;
const take = () => takeTurn(aws.ssm, aws.clock, 'web');
const hold = (turn: object) => aws.parameters.set(NAME, [JSON.stringify({ loadBalancer: 'other', ...turn })]);
const actions = () => aws.calls.map(({ action }) => action);

beforeEach(() => {
  aws = new FakeAws();
  aws.now = Date.parse(NOW);
});

test('a free turn is taken by one write that fails if it is not', async () => {
  expect(await take()).toBe(true);
  expect(aws.calls).toEqual([
    { action: 'PutParameter', input: { Name: NAME, Value: JSON.stringify(OURS), Type: 'String', Overwrite: false } },
  ]);
});

test('a turn that is kept names the run that it lasts for', async () => {
  await take();
  aws.now += 2_000;
  await keepTurn(aws.ssm, aws.clock, 'web', 'run-1');

  expect(aws.parameter(NAME)).toEqual({ loadBalancer: 'web', executionId: 'run-1', at: '2026-11-21T12:00:02.000Z' });
});

describe('another’s turn', () => {
  test.each<[string, object, boolean]>([
    ['whose run is at work is waited for, however old', { executionId: 'run', at: '2026-11-20T12:00:00Z' }, false],
    ['whose run has ended is over', { executionId: 'ended', at: NOW }, true],
    ['whose run nobody knows any more is over', { executionId: 'unknown', at: NOW }, true],
    ['that has no run yet is waited for', { at: '2026-11-21T11:55:00.000Z' }, false],
    ['that has no run after five minutes is over', { at: '2026-11-21T11:54:59.999Z' }, true],
  ])('%s', async (_desc, turn, isOver) => {
    aws.executions.set('run', { status: 'InProgress' });
    aws.executions.set('ended', { status: 'Failed' });
    hold(turn);

    expect(await take()).toBe(isOver);
    expect(aws.parameter(NAME)).toEqual(isOver ? OURS : { loadBalancer: 'other', ...turn });
  });

  test('that ends while it is looked at is over', async () => {
    hold({ executionId: 'run', at: NOW });
    aws.meanwhile = async (action) => {
      if (action === 'GetParameter') aws.parameters.delete(NAME);
    };

    expect(await take()).toBe(true);
    expect(actions()).toEqual(['PutParameter', 'GetParameter', 'PutParameter']);
  });

  test('is left to whoever was faster', async () => {
    hold({ executionId: 'ended', at: NOW });
    aws.meanwhile = async (action) => {
      if (action === 'DeleteParameter') aws.parameters.delete(NAME);
      if (action === 'PutParameter' && actions().includes('DeleteParameter')) hold({ loadBalancer: 'third', at: NOW });
    };

    expect(await take()).toBe(false);
    expect(aws.parameter(NAME)).toEqual({ loadBalancer: 'third', at: NOW });
  });
});

test('a turn that is over already can be ended', async () => {
  await expect(endTurn(aws.ssm)).resolves.toBeUndefined();
  expect(actions()).toEqual(['DeleteParameter']);
});

test.each(['PutParameter', 'GetParameter', 'GetAutomationExecution', 'DeleteParameter'])(
  'what keeps %s from it is an error, and nobody’s turn',
  async (denied) => {
    hold({ executionId: 'ended', at: NOW });
    aws.fault = (action) => {
      if (action === denied) throw new FakeError('AccessDeniedException');
    };

    await expect(take()).rejects.toThrow('AccessDeniedException');
    expect(aws.parameter(NAME)).toEqual({ loadBalancer: 'other', executionId: 'ended', at: NOW });
  },
);
