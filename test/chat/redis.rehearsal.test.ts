import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { Chat } from '../../chat/server.ts';
import { RecordingClient } from './recording-client.ts';
import { joined, RawClient, RedisServer, startTestChat, until } from './support.ts';

jest.setTimeout(20_000);

let redis: RedisServer;
let chats: Chat[];

const start = async (environment: Record<string, string> = {}): Promise<Chat> => {
  const chat = await startTestChat({ CHAT_REDIS_URL: redis.url, CHAT_MESSAGES_PER_SECOND: '0', ...environment });
  chats.push(chat);
  return chat;
};

beforeEach(async () => {
  redis = await RedisServer.start();
  chats = [];
});
afterEach(async () => {
  await Promise.all(chats.map((chat) => chat.stop()));
  await redis[Symbol.asyncDispose]();
});

describe('two instances', () => {
  test('people on different instances talk, see each other and see each other leave', async () => {
    const [one, two] = [await start({ CHAT_INSTANCE: 'one' }), await start({ CHAT_INSTANCE: 'two' })];
    const ann = await joined(new RawClient(one), 'lobby', 'Ann');
    const bo = await joined(new RawClient(two), 'lobby', 'Bo');

    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'hello' });
    bo.say({ type: 'typing', room: 'lobby', typing: true });

    expect(await bo.next('message')).toMatchObject({ offset: 1, name: 'Ann', text: 'hello' });
    expect(await ann.next('typing')).toMatchObject({ name: 'Bo', typing: true });
    expect((await bo.next('joined')).members.map(({ name }) => name)).toContain('Ann');
    expect((await ann.next('presence', ({ joined }) => joined.some(({ name }) => name === 'Bo'))).memberCount).toBe(2);

    bo.say({ type: 'leave', room: 'lobby' });
    await ann.next('presence', ({ left }) => left.length === 1);
  });

  test('a message sent again through another instance keeps its place and is told once', async () => {
    const [one, two] = [await start(), await start()];
    const key = 'k'.repeat(20);
    const send = { type: 'send', room: 'lobby', id: 'message-1', text: 'once' } as const;
    const ann = await joined(new RawClient(one), 'lobby', 'Ann', key);
    ann.say(send);
    const first = await ann.next('ack');
    const again = await joined(new RawClient(two), 'lobby', 'Ann', key);

    again.say(send);

    expect(await again.next('ack')).toEqual(first);
    await sleep(100);
    expect(ann.received.filter(({ type }) => type === 'message')).toHaveLength(1);
  });

  test('who comes back to the other instance gets exactly what was missed', async () => {
    const [one, two] = [await start(), await start()];
    const ann = await joined(new RawClient(one), 'lobby', 'Ann');
    for (const n of [1, 2, 3, 4]) ann.say({ type: 'send', room: 'lobby', id: `message-${n}`, text: `${n}` });
    const { epoch } = await ann.next('message', ({ offset }) => offset === 4);

    const back = new RawClient(two);
    back.say({ type: 'join', room: 'lobby', name: 'Bo', since: { epoch, offset: 2 } });

    const { recovered, history } = await back.next('joined');
    expect([recovered, history.map(({ text }) => text)]).toEqual(['complete', ['3', '4']]);
  });

  test('an instance that dies without a word takes its people out of every room', async () => {
    const one = await start();
    const ann = await joined(new RawClient(one), 'lobby', 'Ann');
    const { createClient } = await import('redis');
    const client = await createClient({ url: redis.url }).connect();
    await client.zAdd('chat:instances', { score: Math.floor(Date.now() / 1000) - 14, value: 'dead' });
    await client.hSet('chat:{lobby}:present', 'dead p-ghost', '{"name":"Ghost","tabs":1}');
    client.destroy();

    const bo = await joined(new RawClient(await start()), 'lobby', 'Bo');
    expect((await bo.next('joined')).members.map(({ name }) => name)).toContain('Ghost');

    await bo.until(() => bo.received.some((m) => m.type === 'presence' && m.left.includes('p-ghost')), 'left', 20_000);
    expect(ann.closed).toBeNull();
  }, 30_000);
});

describe('Redis away', () => {
  test('connections stay, the health page and the users are told, and what was missed follows', async () => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');

    await redis.stop('SIGKILL');
    await ann.next('status', ({ storage }) => storage === 'away');
    const health = await fetch(`http://127.0.0.1:${chat.httpPort}/healthz`);
    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'into the void' });
    const refusal = await ann.next('error');
    await redis.start();
    await ann.next('status', ({ storage }) => storage === 'ok');
    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'into the void' });

    expect([health.status, await health.json()]).toMatchObject([503, { ready: false, storage: 'away' }]);
    expect(refusal).toMatchObject({ code: 'storage-away', id: 'message-1' });
    expect(await ann.next('message')).toMatchObject({ offset: 1 });
    expect(ann.closed).toBeNull();
  });

  test('a Redis that hangs without closing anything counts as away, and nothing waits for it for good', async () => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');

    redis.signal('SIGSTOP');
    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'stuck' });
    await ann.until(() => ann.received.some(({ type }) => type === 'error'), 'a refusal', 12_000);
    redis.signal('SIGCONT');
    await ann.until(() => ann.received.some((m) => m.type === 'status' && m.storage === 'ok'), 'back', 12_000);
    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'stuck' });
    await ann.next('ack');

    await sleep(200);
    expect(ann.received.filter(({ type }) => type === 'message')).toHaveLength(1);
  }, 30_000);

  test('a Redis that comes back empty begins a new epoch, and says so to who was there', async () => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    ann.say({ type: 'send', room: 'lobby', id: 'message-1', text: 'before' });
    const { epoch } = await ann.next('message');

    await redis.stop('SIGKILL');
    await redis.forget();
    await redis.start();

    const reset = await ann.next('reset');
    expect(reset).toMatchObject({ offset: 0 });
    expect(reset.epoch).not.toBe(epoch);
    ann.say({ type: 'send', room: 'lobby', id: 'message-2', text: 'after' });
    expect(await ann.next('message', ({ text }) => text === 'after')).toMatchObject({ epoch: reset.epoch, offset: 1 });
  });

  test('a service that starts while Redis is away serves its page, says why it is not ready, and recovers', async () => {
    await redis.stop();
    const chat = await start();
    const ann = new RawClient(chat);
    expect((await ann.next('welcome')).storage).toBe('away');
    expect((await fetch(`http://127.0.0.1:${chat.httpPort}/healthz`)).status).toBe(503);

    await redis.start();
    await ann.next('status', ({ storage }) => storage === 'ok');

    await joined(ann, 'lobby', 'Ann');
    expect((await fetch(`http://127.0.0.1:${chat.httpPort}/healthz`)).status).toBe(200);
  }, 15_000);
});

test('Redis stopped and started under 200 clients in 20 rooms: nothing lost, nothing doubled, one order per room', async () => {
  const instances = [await start(), await start()];
  const rooms = Array.from({ length: 20 }, (_, n) => `room-${n}`);
  const clients = Array.from({ length: 200 }, (_, n) => {
    const recording = new RecordingClient({ instance: () => instances[n % 2] as Chat });
    const room = rooms[n % rooms.length] ?? '';
    recording.client.join(room, `Person ${n}`);
    recording.client.start();
    return { recording, room };
  });
  const sent = new Map<string, string[]>(rooms.map((room) => [room, []]));
  const isTalking = { value: true };

  const talk = async () => {
    for (let n = 0; isTalking.value; n += 1) {
      for (const { recording, room } of clients.filter((_, index) => index % 10 === n % 10)) {
        sent.get(room)?.push(recording.client.send(room, `${n}`));
      }
      await sleep(50);
    }
  };
  const talking = talk();
  for (const signal of ['SIGTERM', 'SIGKILL', 'SIGKILL'] as const) {
    await sleep(1500);
    await redis.stop(signal);
    await sleep(1500);
    await redis.start();
  }
  await sleep(1500);
  isTalking.value = false;
  await talking;

  const total = [...sent.values()].flat().length;
  await until(
    () => clients.every(({ recording, room }) => recording.messages.length >= (sent.get(room)?.length ?? 0)),
    'everybody has everything',
    20_000,
  ).catch(() => {});
  for (const { recording } of clients) recording.client.stop();

  expect(total).toBeGreaterThan(2000);
  for (const { recording, room } of clients) {
    expect(recording.messages.map(({ offset }) => offset)).toEqual((sent.get(room) ?? []).map((_, index) => index + 1));
    expect(new Set(recording.messages.map(({ id }) => id))).toEqual(new Set(sent.get(room)));
    expect([recording.lost, recording.failed]).toEqual([0, []]);
  }
}, 60_000);
