/** How long the run waits for its fleet, and what it says that it waits for. */
import { describe, expect, test } from '@jest/globals';
import { FakeError } from '../../fake-aws.ts';
import { stage } from './stage.ts';

const ASKED = { direction: 'enable', tagKey: 'fleet', tagValue: 'web', emptyFleet: 'Refuse', waitSeconds: '600' };
const AT_ONCE = { ready: 'yes', reason: '' };

describe('who is not waited for', () => {
  test.each([
    { desc: 'anybody, of a disable', asked: { direction: 'disable' } },
    { desc: 'anybody, where it is not to wait', asked: { waitSeconds: '0' } },
  ])('$desc: nothing is looked at', async ({ asked }) => {
    const { aws, ask } = stage({ instanceIds: ['i-9'] });

    expect(await ask('AwaitFleet', { ...ASKED, ...asked })).toEqual(AT_ONCE);
    expect(aws.calls).toEqual([]);
  });

  test.each([
    { desc: 'a fleet that is there', instanceIds: ['i-1'], asked: {} },
    { desc: 'one that may be empty', instanceIds: [], asked: { emptyFleet: 'Allow' } },
  ])('$desc', async ({ instanceIds, asked }) => {
    const { aws, ask, sleptMs } = stage({ instanceIds });
    aws.addInstance('i-1');

    expect(await ask('AwaitFleet', { ...ASKED, ...asked })).toEqual(AT_ONCE);
    expect(sleptMs()).toBe(0);
  });
});

test('what is waited for is looked at again every ten seconds', async () => {
  const { aws, web, ask, sleptMs } = stage({ instanceIds: [] });
  aws.onSleep = () => {
    if (sleptMs() === 30_000) web.instanceIds = ['i-1', 'i-2'];
  };

  aws.addInstance('i-1');
  aws.addInstance('i-2');
  expect(await ask('AwaitFleet', ASKED)).toEqual(AT_ONCE);
  expect(sleptMs()).toBe(30_000);
});

describe('how long', () => {
  /** Nobody comes. */
  const waiting = () => {
    const set = stage();
    set.aws.managed.delete('i-2');
    return set;
  };

  test('in one call: within the time of a Lambda step, then the runbook’s loop calls again', async () => {
    const { ask, sleptMs } = waiting();

    expect(await ask('AwaitFleet', ASKED)).toEqual({ ready: 'no', reason: 'i-2 is unmanaged' });
    expect(sleptMs()).toBe(200_000);
  });

  test.each([
    ['began a minute ago', 60, 30_000],
    ['began long ago', 1_000, 0],
    ['does not say when it began', undefined, 90_000],
  ])('in all: ninety seconds, of an execution that %s', async (_desc, ago, slept) => {
    const { aws, ask, sleptMs } = waiting();
    aws.executions.set('run-1', {
      status: 'InProgress',
      ...(ago === undefined ? {} : { startedAt: new Date(aws.now - ago * 1000) }),
    });

    // Begin’s gates say what is missing.
    expect(await ask('AwaitFleet', { ...ASKED, waitSeconds: '90' })).toEqual({
      ready: 'yes',
      reason: 'i-2 is unmanaged',
    });
    expect(sleptMs()).toBe(slept);
  });
});

describe('what is waited for', () => {
  const ONCE = { ...ASKED, waitSeconds: '1' };

  test('is each instance that cannot be switched yet', async () => {
    const { aws, ask } = stage();
    aws.addInstance('i-1', { pingStatus: 'ConnectionLost' });
    aws.addInstance('i-2', { tagged: false });

    expect(await ask('AwaitFleet', ONCE)).toEqual({ ready: 'yes', reason: 'i-1 is offline, i-2 is untagged' });
  });

  test('is that one is registered at all', async () => {
    const { ask } = stage({ instanceIds: [] });

    expect(await ask('AwaitFleet', ONCE)).toEqual({ ready: 'yes', reason: 'no instance is registered' });
  });

  test('is the load balancer', async () => {
    const { aws, ask } = stage();
    aws.loadBalancers.clear();

    expect(await ask('AwaitFleet', ONCE)).toEqual({
      ready: 'yes',
      reason: expect.stringMatching(/^ERR_LOAD_BALANCER_NOT_FOUND: no Classic Load Balancer "web"/),
    });
  });

  test('is no answer that may not be given: that is an error at once', async () => {
    const { aws, ask, sleptMs } = stage();
    aws.fault = (action) => {
      if (action === 'DescribeLoadBalancers') throw new FakeError('AccessDenied');
    };

    await expect(ask('AwaitFleet', ASKED)).rejects.toThrow('fake AccessDenied');
    expect(sleptMs()).toBe(0);
  });
});
