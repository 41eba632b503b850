import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../chat/config.ts';
import { Journal } from '../../chat/journal.ts';
import { MemoryStore } from '../../chat/memory-store.ts';
import type { StoreEvents } from '../../chat/store.ts';
import { temporaryDirectory } from './support.ts';

const message = (n: number, room = 'lobby') => ({
  room,
  id: `message-${n}`,
  person: 'p-ann',
  name: 'Ann',
  text: `text ${n}`,
  at: n,
});
const silent: StoreEvents = {
  message: () => {},
  reset: () => {},
  presence: () => {},
  instanceGone: () => {},
  typing: () => {},
  state: () => {},
};
const storeWith = (environment: Record<string, string> = {}, now = () => 0) =>
  new MemoryStore(readConfig(environment), { journal: null, entries: [], now });

describe('a stream', () => {
  test('numbers from 1 and gives what comes after a place', async () => {
    const store = storeWith();
    const positions = [];
    for (const n of [1, 2, 3]) positions.push(await store.append(message(n)));
    const epoch = positions[0]?.epoch ?? '';

    expect(positions.map(({ offset }) => offset)).toEqual([1, 2, 3]);
    const page = await store.read('lobby', { epoch, offset: 1 }, 10);
    expect(page.messages.map(({ text }) => text)).toEqual(['text 2', 'text 3']);
    expect(page).toMatchObject({ epoch, offset: 3, complete: true, more: false });
  });

  test.each([
    ['nothing was missed', 5, { complete: true, offsets: [] }],
    ['the oldest that is kept is the next', 2, { complete: true, offsets: [3, 4, 5] }],
    ['the next is not kept any more', 1, { complete: false, offsets: [3, 4, 5] }],
    ['a place that was never reached', 6, { complete: false, offsets: [3, 4, 5] }],
  ])('%s', async (_desc, offset, expected) => {
    const store = storeWith({ CHAT_HISTORY_MESSAGES: '3' });
    for (const n of [1, 2, 3, 4]) await store.append(message(n));
    const { epoch } = await store.append(message(5));

    const { complete, messages } = await store.read('lobby', { epoch, offset }, 10);
    expect({ complete, offsets: messages.map((each) => each.offset) }).toEqual(expected);
  });

  test('a place of another epoch is not a place', async () => {
    const store = storeWith();
    await store.append(message(1));
    expect((await store.read('lobby', { epoch: 'other', offset: 1 }, 10)).complete).toBe(false);
  });

  test('is read in pages that join without a gap', async () => {
    const store = storeWith();
    for (let n = 1; n <= 25; n += 1) await store.append(message(n));
    const offsets: number[] = [];
    let page = await store.read('lobby', { epoch: (await store.watch('lobby')).epoch, offset: 0 }, 10);
    offsets.push(...page.messages.map(({ offset }) => offset));
    while (page.more) {
      page = await store.read('lobby', page, 10);
      offsets.push(...page.messages.map(({ offset }) => offset));
    }
    expect(offsets).toEqual(Array.from({ length: 25 }, (_, n) => n + 1));
  });

  test('the same id of the same person is one message, of another person another', async () => {
    const store = storeWith();
    const told: number[] = [];
    await store.start({ ...silent, message: (_room, _epoch, { offset }) => told.push(offset) });
    await store.watch('lobby');

    const first = await store.append(message(1));
    const again = await store.append(message(1));
    const other = await store.append({ ...message(1), person: 'p-bo' });

    expect(again).toEqual(first);
    expect(other.offset).toBe(2);
    expect(told).toEqual([1, 2]);
  });

  test('an id is recognised for CHAT_DEDUPE_SECONDS', async () => {
    let now = 0;
    const store = storeWith({ CHAT_DEDUPE_SECONDS: '10' }, () => now);
    await store.append(message(1));
    now = 9_000;
    expect((await store.append(message(1))).offset).toBe(1);
    now = 11_000;
    await store.append(message(2));
    expect((await store.append(message(1))).offset).toBe(3);
  });
});

describe('bounds', () => {
  test('all rooms together stay under CHAT_HISTORY_BYTES, and the quiet ones give way first', async () => {
    const store = storeWith({ CHAT_HISTORY_BYTES: '1048576', CHAT_HISTORY_MESSAGES: '100000' });
    await store.append(message(1, 'quiet'));
    for (let n = 1; n <= 2000; n += 1) await store.append({ ...message(n, 'busy'), text: 'x'.repeat(500) });

    const quiet = await store.read('quiet', null, 10);
    const busy = await store.read('busy', null, 10_000);
    expect(quiet.messages).toEqual([]);
    expect(busy.messages.length).toBeGreaterThan(500);
    expect(busy.messages.length).toBeLessThan(1000);
    expect(busy.offset).toBe(2000);
  });

  test('a room that nobody uses is forgotten after CHAT_HISTORY_SECONDS, a watched one is not', async () => {
    let now = 0;
    const store = storeWith({ CHAT_HISTORY_SECONDS: '60' }, () => now);
    await store.append(message(1, 'left'));
    await store.append(message(1, 'watched'));
    await store.watch('watched');
    now = 61_000;
    store.sweep();
    expect((await store.read('left', null, 10)).messages).toHaveLength(0);
    expect((await store.read('watched', null, 10)).messages).toHaveLength(1);
  });
});

describe('the journal', () => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let path: string;
  const open = async (environment: Record<string, string> = {}) => {
    const opened = await Journal.open(directory.path);
    return new MemoryStore(readConfig(environment), { ...opened, now: () => 0 });
  };
  beforeEach(async () => {
    directory = await temporaryDirectory();
    path = join(directory.path, 'messages.jsonl');
  });
  afterEach(() => directory[Symbol.asyncDispose]());

  test('epoch, offsets and ids outlive a stop', async () => {
    const before = await open();
    const first = await before.append(message(1));
    await before.close();

    const after = await open();
    expect(await after.append(message(1))).toEqual(first);
    expect(await after.append(message(2))).toEqual({ epoch: first.epoch, offset: 2 });
    expect((await after.read('lobby', { ...first, offset: 0 }, 10)).messages.map(({ text }) => text)).toEqual([
      'text 1',
      'text 2',
    ]);
    await after.close();
  });

  test('what was acknowledged outlives a kill, also when the last line is cut short', async () => {
    const killed = await open();
    const { epoch } = await killed.append(message(1));
    await appendFile(path, '["lobby","half a li');

    const after = await open();
    expect(await after.append(message(2))).toEqual({ epoch, offset: 2 });
    await after.close();
    expect((await readFile(path, 'utf8')).split('\n')).toHaveLength(3);
  });

  test('many at once are numbered in their order, and the same id among them once', async () => {
    const store = await open();
    const positions = await Promise.all([1, 2, 2, 3].map((n) => store.append(message(n))));
    expect(positions.map(({ offset }) => offset)).toEqual([1, 2, 2, 3]);
    await store.close();
    expect((await readFile(path, 'utf8')).trim().split('\n')).toHaveLength(3);
  });

  test('a room whose beginning was trimmed goes on where it was', async () => {
    const before = await open({ CHAT_HISTORY_MESSAGES: '2' });
    for (let n = 1; n <= 5; n += 1) await before.append(message(n));
    const { epoch } = await before.watch('lobby');
    await before.close();
    const after = await open({ CHAT_HISTORY_MESSAGES: '2' });
    await after.close();

    const again = await open({ CHAT_HISTORY_MESSAGES: '2' });
    expect(await again.append(message(6))).toEqual({ epoch, offset: 6 });
    await again.close();
  });

  test('does not grow without end', async () => {
    const store = await open({ CHAT_HISTORY_MESSAGES: '10' });
    const text = 'x'.repeat(4000);
    for (let n = 0; n < 8000; n += 500) {
      await Promise.all(Array.from({ length: 500 }, (_, k) => store.append({ ...message(n + k), text })));
    }
    expect((await stat(path)).size).toBeLessThan(20 * 1024 * 1024);
    await store.close();
  });

  test('a file that is not a journal loses nothing but itself', async () => {
    await writeFile(path, '\u0000\u0001 not JSON\n');
    const store = await open();
    expect((await store.append(message(1))).offset).toBe(1);
    await store.close();
  });
});

test('while the journal cannot be written, messages are refused and the state is away; then it goes on', async () => {
  let isFull = true;
  const written: unknown[] = [];
  const failing = async () => {
    if (isFull) throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
  };
  const journal = {
    wantsRewrite: false,
    append: async (entries: unknown[]) => {
      await failing();
      written.push(...entries);
    },
    rewrite: failing,
    close: async () => {},
  } as unknown as Journal;
  const store = new MemoryStore(readConfig({}), { journal, entries: [], now: () => 0 });
  const states: string[] = [];
  await store.start({ ...silent, state: (state) => states.push(state) });

  await expect(store.append(message(1))).rejects.toMatchObject({ code: 'ERR_CHAT_STORAGE_AWAY' });
  expect(store.reason).toContain('no space left');
  isFull = false;
  expect((await store.append(message(1))).offset).toBe(1);

  expect(states).toEqual(['away', 'ok']);
  expect(written).toHaveLength(1);
});
