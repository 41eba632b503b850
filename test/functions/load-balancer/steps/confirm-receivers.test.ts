/** Every registered instance is in the mode, by its own word: who is asked again, who is waited for, who stops the run. */
import { describe, expect, test } from '@jest/globals';
import { stage } from './stage.ts';

const BOTH = { commandId: 'c', mode: 'both' };

/** A fleet of so many, of which each answers with the mode; the last ones of them something else. */
function fleetOf(count: number, mode: string, others: readonly object[] = []) {
  const set = stage();
  const ids = Array.from({ length: count }, (_, index) => set.aws.addInstance(`i-${index + 1}`));
  set.web.instanceIds = ids;
  const from = count - others.length;
  set.aws.answer('c', Object.fromEntries(ids.map((id, index) => [id, others[index - from] ?? { mode }])));
  return set;
}

describe('when all are there', () => {
  test.each(['both', 'proxy', 'plain'])('in %s, it says so', async (mode) => {
    const { ask, hold } = fleetOf(2, mode);
    hold({ phase: 'receivers' });

    expect(await ask('ConfirmReceivers', { commandId: 'c', mode })).toEqual({
      complete: 'yes',
      newcomers: '',
      instances: 2,
    });
  });

  test('in both, the command that brought them there is remembered; SetPolicies asks about it again', async () => {
    const { ask, hold, state } = fleetOf(2, 'both');
    const held = hold({ phase: 'receivers' });

    await ask('ConfirmReceivers', BOTH);

    expect(state()).toEqual({ ...held, bothCommandId: 'c' });
  });

  test('in their last mode, nothing is written', async () => {
    const { ask, hold, state } = fleetOf(2, 'proxy');
    const held = hold({ phase: 'measuring', bothCommandId: 'b' });

    await ask('ConfirmReceivers', { commandId: 'c', mode: 'proxy' });

    expect(state()).toEqual(held);
  });
});

describe('instances that were registered since', () => {
  test('are to be asked too, once Systems Manager reaches them', async () => {
    const { aws, web, ask, hold, state, sleptMs } = fleetOf(2, 'both');
    const held = hold({ phase: 'receivers' });
    web.instanceIds.push('i-3', 'i-4');
    aws.onSleep = () => {
      if (sleptMs() < 40_000) return;
      aws.addInstance('i-3');
      aws.addInstance('i-4');
    };

    expect(await ask('ConfirmReceivers', BOTH)).toEqual({ complete: 'no', newcomers: 'i-3, i-4', instances: 4 });
    expect(state()).toEqual(held);
    // 30 s for an answer that may still come, then as long as they take.
    expect(sleptMs()).toBe(40_000);
  });

  test('are waited for a minute a round, of which the runbook makes five', async () => {
    const { web, ask, hold, sleptMs } = fleetOf(2, 'both');
    hold({ phase: 'receivers' });
    web.instanceIds.push('i-3');

    expect(await ask('ConfirmReceivers', BOTH)).toMatchObject({ complete: 'no' });
    expect(sleptMs()).toBe(90_000);
  });
});

describe('those that failed', () => {
  const failed = { status: 'Failed', output: 'x\n----------ERROR-------\nno tproxy module' };

  test('are named with their own words, whoever else is missing', async () => {
    const { web, ask, hold } = fleetOf(3, 'both', [failed, { mode: 'plain' }]);
    hold({ phase: 'receivers' });
    web.instanceIds.push('i-9');

    await expect(ask('ConfirmReceivers', BOTH)).rejects.toMatchObject({
      code: 'ERR_RECEIVER',
      message:
        'ERR_RECEIVER: 2 of 4 instances did not come to receiver mode both. i-2: Failed: no tproxy module\ni-3: answered mode "plain": some words\n{"mode":"plain"}',
    });
  });

  test.each([
    [5, 'i-5: Failed: no tproxy module'],
    [6, 'i-5: Failed: no tproxy module\n… and 1 more'],
    [8, 'i-5: Failed: no tproxy module\n… and 3 more'],
  ])('of %d no more than five are quoted', async (count, end) => {
    const { ask, hold } = fleetOf(count, 'both', Array(count).fill(failed));
    hold({ phase: 'receivers' });

    const error: Error = await ask('ConfirmReceivers', BOTH).then(
      () => new Error('it was confirmed'),
      (reason) => reason,
    );

    const lines = error.message.split('\n');
    expect(lines[0]).toBe(
      `ERR_RECEIVER: ${count} of ${count} instances did not come to receiver mode both. i-1: Failed: no tproxy module`,
    );
    expect(lines.slice(4).join('\n')).toBe(end);
  });
});
