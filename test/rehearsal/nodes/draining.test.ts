import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from '@jest/globals';
import { Draining } from '../../../rehearsal/nodes/draining.ts';

const ended: string[] = [];
let draining: Draining;
afterEach(() => {
  draining.close();
  ended.length = 0;
});

const make = (isIdle?: (key: string) => Promise<boolean>): Draining =>
  new Draining({ end: (key) => void ended.push(key), ...(isIdle && { isIdle }) });

test('without a time what there is ends at once', () => {
  draining = make();
  draining.begin('i-1', undefined);
  expect([draining.keys, ended]).toEqual([[], ['i-1']]);
});

test('with one it has that long, and is known meanwhile', async () => {
  draining = make();
  draining.begin('i-1', 0.1);
  expect([draining.keys, ended]).toEqual([['i-1'], []]);
  await sleep(200);
  expect([draining.keys, ended]).toEqual([[], ['i-1']]);
});

test('one that is back, or gone altogether, is not ended', async () => {
  draining = make();
  draining.begin('i-1', 0.1);
  draining.begin('i-2', 0.1);
  draining.cancel('i-1');
  draining.close();
  await sleep(200);
  expect([draining.keys, ended]).toEqual([[], []]);
});

test('one that nothing goes to any more is not waited for; one of which that cannot be said is', async () => {
  draining = make(async (key) => {
    if (key === 'i-2') throw new Error('the node does not answer');
    return key === 'i-1';
  });
  for (const key of ['i-1', 'i-2', 'i-3']) draining.begin(key, 60);
  await sleep(800);
  expect([draining.keys, ended]).toEqual([['i-2', 'i-3'], []]);
});
