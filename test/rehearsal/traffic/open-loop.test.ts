import { describe, expect, test } from '@jest/globals';
import { runOpenLoop } from '../../../rehearsal/traffic/open-loop.ts';

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function blockEventLoop(ms: number): void {
  const until = Date.now() + ms;
  while (Date.now() < until);
}

describe('the open loop', () => {
  test('makes up for a blocked event loop, and says how late it was', async () => {
    const stop = new AbortController();
    const late: number[] = [];
    let started = 0;
    const beganMs = Date.now();

    const ended = runOpenLoop({
      perSecond: 200,
      maxInFlight: 1000,
      stop: stop.signal,
      start: async () => {
        started += 1;
      },
      onCapReached: () => {},
      onStarted: (lateMs) => late.push(lateMs),
    });
    await sleep(100);
    blockEventLoop(400);
    await sleep(100);
    stop.abort();
    const due = (Date.now() - beganMs) / 5;
    await ended;

    // About 120; a loop that starts one for each tick of its timer would be 80 short.
    expect(started).toBeGreaterThanOrEqual(due - 10);
    expect(started).toBeLessThanOrEqual(due + 2);
    expect(Math.max(...late)).toBeGreaterThan(300);
  });

  test('starts no fewer because answers are slow', async () => {
    const stop = new AbortController();
    let started = 0;

    const ended = runOpenLoop({
      perSecond: 200,
      maxInFlight: 1000,
      stop: stop.signal,
      start: async () => {
        started += 1;
        await sleep(300);
      },
      onCapReached: () => {},
    });
    await sleep(250);
    stop.abort();
    await ended;

    expect(started).toBeGreaterThanOrEqual(45);
  });

  test('reports each start that the cap held back, and makes up for it', async () => {
    const stop = new AbortController();
    const starts: number[] = [];
    let held = 0;
    const beganMs = Date.now();

    await runOpenLoop({
      perSecond: 1000,
      maxInFlight: 5,
      // The twentieth is the last that becomes due.
      now: () => Math.min(Date.now(), beganMs + 19),
      stop: stop.signal,
      start: async (index) => {
        starts.push(index);
        if (starts.length === 20) stop.abort();
        await sleep(30);
      },
      onCapReached: () => {
        held += 1;
      },
    });

    expect(starts).toEqual(Array.from({ length: 20 }, (_, index) => index));
    expect(held).toBeGreaterThanOrEqual(10);
    expect(held).toBeLessThanOrEqual(15);
  });

  test('waits for what is in flight when it is stopped', async () => {
    const stop = new AbortController();
    let ended = 0;

    const loop = runOpenLoop({
      perSecond: 100,
      maxInFlight: 10,
      stop: stop.signal,
      start: async () => {
        await sleep(100);
        ended += 1;
      },
      onCapReached: () => {},
    });
    stop.abort();
    await loop;

    expect(ended).toBe(1);
  });
});
