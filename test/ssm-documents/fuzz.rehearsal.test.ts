/**
 * The receiver in each mode under connections as nobody should open them, over real sockets: it never hands a wrong address on, never
 * wedges, and serves what is well-formed meanwhile. `FUZZ_SEED` repeats a run; `fuzz.long.test.ts` is the same for longer.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { attack, checkAlive, generate, mostConnections } from './fuzz-receiver.ts';
import { APPLICATION_PORT, CLIENTS, type FuzzStage, fuzzStage, MACHINE } from './fuzz-stage.ts';
import { judgeFuzzed, missingKinds, type ReceiverMode, requestOf } from './fuzzed-connections.ts';

const MODES: readonly ReceiverMode[] = ['plain', 'both', 'proxy'];
let stage: FuzzStage;

beforeAll(async () => {
  stage = await fuzzStage();
}, 180_000);
afterAll(async () => stage?.[Symbol.asyncDispose](), 60_000);

test.each(MODES)(
  'in %s: every address is right, and what is well-formed is served',
  async (mode) => {
    await stage.setMode(mode);
    const connections = generate({ count: 400, byteMs: 20 });
    expect(missingKinds(connections)).toEqual([]);

    const { counts, seen } = await attack(stage, connections);

    expect(judgeFuzzed(connections, seen, mode, CLIENTS)).toEqual([]);
    expect(counts.answered).toBe(seen.length);
    await checkAlive(stage);
  },
  60_000,
);

test.each([
  ['plain', '', ''],
  ['both', '', 'PROXY TCP4 203.0.113.9 192.0.2.1 1 80\r\n'],
  ['both', 'PROXY TCP4 203.', ''],
  ['proxy', '', 'PROXY TCP4 203.0.113.9 192.0.2.1 1 80\r\n'],
  ['proxy', 'PROXY TCP4 203.0.113.9 192.0.2.1 1 80\r\n', 'PROXY TCP4 203.0.113.9 192.0.2.1 1 80\r\n'],
] as const)(
  'in %s: 10,000 connections that say "%s" and no more keep nobody out',
  async (mode, text, line) => {
    await stage.setMode(mode);
    const halfOpen = Math.min(10_000, await mostConnections(stage));

    const { opened } = await stage.tell({ host: MACHINE, port: APPLICATION_PORT, halfOpen, text });
    const residentKilobytes = Number(
      await stage.shell(`ps -C nginx,haproxy -o rss= | awk '{ sum += $1 } END { print sum }'`),
    );
    const connections = Array.from(
      { length: 50 },
      () => ({ kind: 'no line', parts: (request: string) => [line + request] }) as const,
    );
    const { counts } = await attack(stage, connections);
    await stage.tell({ closeAll: true });

    expect(opened).toBe(halfOpen);
    expect(counts).toEqual({ answered: 50, closed: 0, left: 0 });
    // A buffer of 16 KiB for each that has said something, at most.
    expect(residentKilobytes).toBeLessThan(300 * 1024);
    await checkAlive(stage);
    console.log(`${mode}, ${halfOpen} × "${text}": nginx and HAProxy have ${Math.round(residentKilobytes / 1024)} MiB`);
  },
  60_000,
);

test("in both, nginx's own address of a client is nobody's, whatever the line names: servers of others use it", async () => {
  await stage.shell(
    `printf 'server {\\n  listen 81;\\n  server_name other.example;\\n  location / { return 200 "seen $remote_addr"; }\\n}\\n' >/etc/nginx/conf.d/other.conf`,
  );
  await stage.setMode('both');
  const seenBy = async (line: string) => {
    const request = requestOf(0).replace('fuzzed.example', 'other.example');
    const { received } = await stage.tell({ host: MACHINE, port: APPLICATION_PORT, parts: [line + request] });
    return /seen (.*)$/.exec(String(received))?.[1];
  };

  expect(await seenBy('')).toBe(CLIENTS);
  expect(await seenBy('PROXY TCP4 203.0.113.9 192.0.2.1 1 80\r\n')).toBe('0.0.0.0');
  expect(await seenBy('PROXY TCP6 2001:db8::9 2001:db8::1 1 80\r\n')).toBe('::');
  expect(await seenBy('PROXY UNKNOWN\r\n')).toBe('0.0.0.0');
}, 60_000);
