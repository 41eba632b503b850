/** `fuzz.rehearsal.test.ts` for longer: more connections, and what sends a byte at a time sends one a second. */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attack, checkAlive, generate } from './fuzz-receiver.ts';
import { CLIENTS, type FuzzStage, fuzzStage } from './fuzz-stage.ts';
import { judgeFuzzed, missingKinds, type ReceiverMode } from './fuzzed-connections.ts';

let stage: FuzzStage;

beforeAll(async () => {
  stage = await fuzzStage();
}, 180_000);
afterAll(async () => stage?.[Symbol.asyncDispose](), 60_000);

test.each<ReceiverMode>(['plain', 'both', 'proxy'])(
  'in %s: every address is right, and what is well-formed is served',
  async (mode) => {
    await stage.setMode(mode);
    const connections = generate({ count: 1500, byteMs: 1000 });
    expect(missingKinds(connections)).toEqual([]);

    const { counts, seen } = await attack(stage, connections);

    expect(judgeFuzzed(connections, seen, mode, CLIENTS)).toEqual([]);
    expect(counts.answered).toBe(seen.length);
    await checkAlive(stage);
  },
  600_000,
);
