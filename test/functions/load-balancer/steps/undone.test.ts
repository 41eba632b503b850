/** Where each receiver is after it was asked to go back, and whether the load balancer is forgotten. */
import { describe, expect, test } from '@jest/globals';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { FakeError } from '../../fake-aws.ts';
import { stage } from './stage.ts';

const PLAIN = { 'i-1': { mode: 'plain' }, 'i-2': { mode: 'plain' } };
const ASKED = { commandId: 'restore', mode: 'plain' };

describe('the load balancer', () => {
  test('is forgotten where it was never switched and all is as it was', async () => {
    const { aws, ask, hold, state } = stage();
    hold({ phase: 'undone' });
    aws.answer('restore', PLAIN);

    expect(await ask('Undone', ASKED)).toEqual({ summary: 'All 2 registered instances are in plain.' });
    expect(state()).toBeUndefined();
  });

  test.each<{ desc: string; state?: Partial<SwitchState>; asked?: object; answers?: Record<string, object> }>([
    { desc: 'a receiver is not back', answers: { ...PLAIN, 'i-2': { mode: 'both' } } },
    {
      desc: 'they went to both',
      asked: { ...ASKED, mode: 'both' },
      answers: { 'i-1': { mode: 'both' }, 'i-2': { mode: 'both' } },
    },
    { desc: 'it was being switched off', state: { direction: 'disable' } },
    { desc: 'a run before had settled something', state: { settled: { mode: 'plain', settings: 'abc' } } },
  ])('is remembered where $desc', async ({ state: before = {}, asked = ASKED, answers = PLAIN }) => {
    const { aws, ask, hold, state, changes } = stage();
    const held = hold({ phase: 'undone', ...before });
    aws.answer('restore', answers);

    await ask('Undone', asked);

    expect(state()).toEqual(held);
    expect(changes()).toEqual([]);
  });
});

describe('the summary', () => {
  test('names those that are not back, whether they were not asked or failed', async () => {
    const { aws, web, ask, hold } = stage();
    hold({ phase: 'undone', mode: 'both' });
    web.instanceIds = ['i-1', 'i-2', 'i-3', 'i-4'];
    aws.answer('restore', {
      'i-1': { mode: 'both' },
      'i-2': { status: 'Failed', output: 'x' },
      'i-4': { mode: 'proxy' },
    });

    expect(await ask('Undone', { commandId: 'restore', mode: 'both' })).toEqual({
      summary:
        '1 of 4 registered instances are in both; not yet: i-3, i-2, i-4. Each serves in the mode it is in, unless it is out of order itself.',
    });
  });

  test('names all where no command could be sent, without asking about one', async () => {
    const { ask, hold, sleptMs } = stage();
    hold({ phase: 'undone' });

    expect(await ask('Undone', { commandId: '', mode: 'plain' })).toEqual({
      summary:
        '0 of 2 registered instances are in plain; not yet: i-1, i-2. Each serves in the mode it is in, unless it is out of order itself.',
    });
    expect(sleptMs()).toBe(0);
  });

  test('waits for late answers no longer than a cancellation gives it', async () => {
    const { ask, hold, sleptMs } = stage();
    hold({ phase: 'undone' });

    await ask('Undone', ASKED);

    expect(sleptMs()).toBe(6_000);
  });

  test('of a load balancer that has been deleted meanwhile has no instance to name', async () => {
    const { aws, ask, hold } = stage();
    hold({ phase: 'undone' });
    aws.loadBalancers.clear();

    expect(await ask('Undone', ASKED)).toEqual({ summary: 'All 0 registered instances are in plain.' });
  });
});

test.each([[undefined], [{ executionId: 'run-2' }]])(
  'of a state that is not its own (%j) it says nothing',
  async (state) => {
    const { aws, ask, hold, changes } = stage();
    if (state !== undefined) hold(state);
    aws.answer('restore', PLAIN);

    expect(await ask('Undone', ASKED)).toEqual({ summary: 'Nothing was changed by this execution.' });
    expect(changes()).toEqual([]);
  },
);

test('a load balancer that cannot be looked at is an error', async () => {
  const { aws, ask, hold } = stage();
  hold({ phase: 'undone' });
  aws.fault = (action) => {
    if (action === 'DescribeLoadBalancers') throw new FakeError('AccessDenied');
  };

  await expect(ask('Undone', ASKED)).rejects.toThrow('fake AccessDenied');
});
