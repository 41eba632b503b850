import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ServerMessage } from '../../chat/protocol.ts';
import type { Chat } from '../../chat/server.ts';
import { RecordingClient } from './recording-client.ts';
import { FROM, joined, RawClient, startTestChat, temporaryDirectory, until } from './support.ts';

jest.setTimeout(20_000);
let chats: Chat[];
const start = async (...options: Parameters<typeof startTestChat>): Promise<Chat> => {
  const chat = await startTestChat(...options);
  chats.push(chat);
  return chat;
};
beforeEach(() => {
  chats = [];
});
afterEach(async () => {
  await Promise.all(chats.map((chat) => chat.stop()));
});
const get = (chat: Chat, path: string, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${chat.httpPort}${path}`, { headers });
const post = (chat: Chat, path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${chat.httpPort}${path}`, { method: 'POST', body: JSON.stringify(body), headers });
const connections = async (chat: Chat): Promise<number> =>
  ((await (await get(chat, '/healthz')).json()) as { connections: number }).connections;
const send = (n: number | string, room = 'lobby') =>
  ({ type: 'send', room, id: `message-${n}`, text: `text ${n}` }) as const;

describe('a room', () => {
  test('what one says everybody gets, the sender too, with the same place', async () => {
    const chat = await start();
    const [ann, bo] = [
      await joined(new RawClient(chat), 'lobby', 'Ann'),
      await joined(new RawClient(chat), 'lobby', 'Bo'),
    ];
    ann.say(send(1));

    const told = await bo.next('message');
    const { epoch, offset } = await ann.next('ack');
    expect(await ann.next('message')).toEqual(told);
    expect(told).toMatchObject({ epoch, offset, room: 'lobby', name: 'Ann', text: 'text 1' });
  });

  test('rooms do not hear each other, and one has to be in one to speak', async () => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'one', 'Ann');
    const bo = await joined(new RawClient(chat), 'two', 'Bo');
    bo.say(send(1, 'one'));
    expect(await bo.next('error')).toMatchObject({ code: 'not-joined', room: 'one', id: 'message-1' });
    bo.say(send(2, 'two'));
    await bo.next('message');
    expect(ann.received.filter(({ type }) => type === 'message')).toEqual([]);
  });

  test('newcomers get the newest messages; who left gets no more', async () => {
    const chat = await start({ CHAT_HISTORY_ON_JOIN: '2' });
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    for (const n of [1, 2, 3]) ann.say(send(n));
    await ann.next('ack', () => true, 3);
    const bo = await joined(new RawClient(chat), 'lobby', 'Bo');
    expect((await bo.next('joined')).history.map(({ text }) => text)).toEqual(['text 2', 'text 3']);

    await ann.next('presence', (message) => message.joined.length === 1);
    bo.say({ type: 'leave', room: 'lobby' });
    await ann.next('presence', ({ left }) => left.length === 1);
    ann.say(send(4));
    await ann.next('ack', () => true, 4);
    expect(bo.received.filter(({ type }) => type === 'message')).toEqual([]);
  });

  test('who missed more than one page gets all of it in order, while others go on talking', async () => {
    const chat = await start({ CHAT_MESSAGES_PER_SECOND: '0' });
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    for (let n = 1; n <= 700; n += 1) ann.say(send(n));
    const { epoch } = await ann.next('ack', ({ offset }) => offset === 700);

    const bo = new RawClient(chat);
    bo.say({ type: 'join', room: 'lobby', name: 'Bo', since: { epoch, offset: 100 } });
    for (let n = 701; n <= 900; n += 1) ann.say(send(n));
    await ann.next('ack', ({ offset }) => offset === 900);

    const offsets = () =>
      bo.received.flatMap((message) =>
        message.type === 'joined' || message.type === 'history'
          ? message.history.map(({ offset }) => offset)
          : message.type === 'message'
            ? [message.offset]
            : [],
      );
    await bo.until(() => offsets().length >= 800, 'all 800');
    expect(offsets()).toEqual(Array.from({ length: 800 }, (_, n) => 101 + n));
  });

  test('who missed what is not kept any more is told so', async () => {
    const chat = await start({ CHAT_HISTORY_MESSAGES: '5' });
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    for (let n = 1; n <= 10; n += 1) ann.say(send(n));
    const { epoch } = await ann.next('ack', ({ offset }) => offset === 10);
    const bo = new RawClient(chat);
    bo.say({ type: 'join', room: 'lobby', name: 'Bo', since: { epoch, offset: 2 } });
    expect(await bo.next('joined')).toMatchObject({ recovered: 'lost', offset: 10 });
  });

  test('two tabs are one person, and a person is gone when the last tab is', async () => {
    const chat = await start();
    const key = 'k'.repeat(20);
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    const [one, two] = [
      await joined(new RawClient(chat), 'lobby', 'Bo', key),
      await joined(new RawClient(chat), 'lobby', 'Bo', key),
    ];
    await ann.next('presence', (message) => message.joined.some(({ tabs }) => tabs === 2));

    one.socket.close();
    const change = await ann.next(
      'presence',
      (message) => message.joined.some(({ name, tabs }) => name === 'Bo' && tabs === 1),
      1,
    );
    expect(change.memberCount).toBe(2);
    expect(ann.received.filter((message) => message.type === 'presence' && message.left.length > 0)).toEqual([]);
    two.socket.terminate();
    expect((await ann.next('presence', ({ left }) => left.length > 0)).memberCount).toBe(1);
  });

  test('who is back within the grace never left', async () => {
    const chat = await start();
    const key = 'k'.repeat(20);
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    (await joined(new RawClient(chat), 'lobby', 'Bo', key)).socket.terminate();
    await sleep(300);
    await joined(new RawClient(chat), 'lobby', 'Bo', key);
    await sleep(4000);
    expect(ann.received.filter((message) => message.type === 'presence' && message.left.length > 0)).toEqual([]);
  });

  test('typing is told to the others, and not back', async () => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    const bo = await joined(new RawClient(chat), 'lobby', 'Bo');
    ann.say({ type: 'typing', room: 'lobby', typing: true });
    expect(await bo.next('typing')).toMatchObject({ name: 'Ann', typing: true });
    expect(ann.received.filter(({ type }) => type === 'typing')).toEqual([]);
  });
});

describe('what it says of a client', () => {
  test.each([
    ['trusted', FROM('198.51.100.7'), { address: '198.51.100.7', trusted: true, scheme: 'https' }],
    ['not trusted', FROM('198.51.100.7', 'no'), { address: '198.51.100.7', trusted: false, scheme: 'https' }],
    ['not told', {}, { address: null, trusted: false, scheme: null }],
    [
      'X-Forwarded-For from outside',
      { 'X-Forwarded-For': '203.0.113.66' },
      { address: null, trusted: false, scheme: null },
    ],
  ])('%s: the same in /whoami and in welcome', async (_desc, headers, expected) => {
    const chat = await start({ CHAT_INSTANCE: 'chat-1' });
    expect(await (await get(chat, '/whoami', headers)).json()).toEqual({ ...expected, instance: 'chat-1' });
    expect(await new RawClient(chat, { headers }).next('welcome')).toMatchObject({ ...expected, instance: 'chat-1' });
  });
});

describe('limits', () => {
  test('messages of one connection: the refusal names the message and when the next is taken, and it goes on', async () => {
    const chat = await start({ CHAT_MESSAGES_PER_SECOND: '1' });
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    for (let n = 1; n <= 10; n += 1) ann.say(send(n));
    const refusal = await ann.next('error');
    expect(refusal).toMatchObject({ code: 'rate-limited', id: 'message-10', room: 'lobby' });
    expect(refusal.retryAfterMs).toBeGreaterThan(0);
    await sleep((refusal.retryAfterMs ?? 0) + 50);
    ann.say(send(10));
    await ann.next('ack', ({ id }) => id === 'message-10');
  });

  test('who goes on after 200 refusals is closed with 1008', async () => {
    const chat = await start({ CHAT_MESSAGES_PER_SECOND: '1' });
    const ann = new RawClient(chat);
    for (let n = 0; n < 250; n += 1) ann.say('{}');
    await ann.until(() => ann.closed !== null, 'closed');
    expect(ann.closed?.code).toBe(1008);
  });

  test('messages of all connections of one address; another address is not touched', async () => {
    const chat = await start({ CHAT_ADDRESS_MESSAGES_PER_SECOND: '1', CHAT_MESSAGES_PER_SECOND: '0' });
    const headers = FROM('198.51.100.7');
    for (let n = 0; n < 10; n += 1) await joined(new RawClient(chat, { headers }), 'lobby', 'Ann');
    const eleventh = new RawClient(chat, { headers });
    eleventh.say({ type: 'join', room: 'lobby', name: 'Ann' });
    expect(await eleventh.next('error')).toMatchObject({ code: 'rate-limited', room: 'lobby' });
    await joined(new RawClient(chat, { headers: FROM('203.0.113.9') }), 'lobby', 'Bo');
  });

  test.each([
    ['open connections', { CHAT_ADDRESS_OPEN_CONNECTIONS: '2' }, 'too-many-connections', 2],
    ['connection rate', { CHAT_ADDRESS_CONNECTIONS_PER_SECOND: '1' }, 'connection-rate-limited', 10],
  ])('%s of one address, and none while the address is not trusted', async (_desc, environment, code, allowed) => {
    const chat = await start(environment);
    const headers = FROM('198.51.100.7');
    for (let n = 0; n < allowed; n += 1) await new RawClient(chat, { headers }).next('welcome');
    expect(await new RawClient(chat, { headers }).refused()).toMatchObject({ status: 429, body: { code } });
    expect((await post(chat, '/events', { rooms: [{ type: 'join', room: 'a', name: 'A' }] }, headers)).status).toBe(
      429,
    );

    for (let n = 0; n < allowed + 5; n += 1) {
      await new RawClient(chat, { headers: FROM('198.51.100.7', 'no') }).next('welcome');
    }
  });

  test('a connection that is gone is no longer counted, however it ended', async () => {
    const chat = await start({ CHAT_ADDRESS_OPEN_CONNECTIONS: '1', CHAT_ADDRESS_CONNECTIONS_PER_SECOND: '0' });
    const headers = FROM('198.51.100.7');
    for (const end of ['close', 'terminate'] as const) {
      const client = new RawClient(chat, { headers });
      await client.next('welcome');
      client.socket[end]();
      await until(async () => (await connections(chat)) === 0, 'released');
    }
    // A handshake that ws itself refuses was admitted before.
    await new Promise((resolve) => {
      request({
        port: chat.webSocketPort,
        path: '/ws/',
        headers: { ...headers, Connection: 'Upgrade', Upgrade: 'websocket' },
      })
        .on('response', (response) => response.resume().on('end', resolve))
        .end();
    });
    await new RawClient(chat, { headers }).next('welcome');
  });

  test('open connections of the instance, whoever has them', async () => {
    const chat = await start({ CHAT_OPEN_CONNECTIONS: '1' });
    await new RawClient(chat).next('welcome');
    expect(await new RawClient(chat).refused()).toMatchObject({ status: 429, body: { code: 'too-many-connections' } });
  });

  test('rooms of one connection', async () => {
    const chat = await start({ CHAT_ROOMS_PER_CONNECTION: '1' });
    const ann = await joined(new RawClient(chat), 'one', 'Ann');
    ann.say({ type: 'join', room: 'two', name: 'Ann' });
    expect(await ann.next('error')).toMatchObject({ code: 'too-many-rooms', room: 'two' });
    await joined(ann, 'one', 'Ann again');
  });

  test.each([
    ['a frame that is too large', (socket: RawClient['socket']) => socket.send('x'.repeat(100_000)), 1009],
    [
      'text that is not UTF-8',
      (socket: RawClient['socket']) => socket.send(Buffer.from([0xff, 0xfe]), { binary: false }),
      1007,
    ],
  ])('%s closes the connection with its code, and nothing else happens', async (_desc, misbehave, code) => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    const bad = new RawClient(chat);
    await bad.next('welcome');
    misbehave(bad.socket);
    await bad.until(() => bad.closed !== null, 'closed');
    expect(bad.closed?.code).toBe(code);
    ann.say(send(1));
    await ann.next('ack');
  });

  test('a client that does not read is cut off before it costs more than its allowance', async () => {
    const chat = await start({
      CHAT_BUFFERED_BYTES: '65536',
      CHAT_MESSAGE_BYTES: '32768',
      CHAT_MESSAGES_PER_SECOND: '0',
    });
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    const slow = await joined(new RawClient(chat), 'lobby', 'Slow');
    slow.socket.pause();
    // More than the buffers of the kernel hold.
    const text = 'x'.repeat(30_000);
    for (let n = 0; n < 600; n += 1) ann.say({ type: 'send', room: 'lobby', id: `message-${n}`, text });
    await ann.next('ack', ({ id }) => id === 'message-599');

    await until(async () => (await connections(chat)) === 1, 'cut off');
    expect(await (await get(chat, '/metrics')).text()).toContain(
      'chat_connections_closed_total{transport="websocket",why="slow"} 1',
    );
  });
});

describe('heartbeat', () => {
  test('a client that answers stays, one that is silent is cut after two', async () => {
    const chat = await start({ CHAT_HEARTBEAT_SECONDS: '1' });
    const answers = new RawClient(chat);
    await answers.next('welcome');
    const silent = connect(chat.webSocketPort, '127.0.0.1');
    silent.write(
      `GET /ws/ HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString('base64')}\r\n\r\n`,
    );
    silent.resume();
    const started = Date.now();
    await new Promise((resolve) => silent.on('close', resolve));
    expect(Date.now() - started).toBeGreaterThan(1900);
    expect(Date.now() - started).toBeLessThan(5000);
    expect(answers.closed).toBeNull();
  });

  test("the client's own ping is answered with its number", async () => {
    const chat = await start();
    const ann = new RawClient(chat);
    ann.say({ type: 'ping', n: 7 });
    expect(await ann.next('pong')).toMatchObject({ n: 7 });
  });
});

describe('origin', () => {
  test.each([
    ['no browser', {}, {}, true],
    ['its own page', {}, { Origin: 'https://chat.example.com', Host: 'chat.example.com' }, true],
    [
      'its own page on another port that nginx does not pass on',
      {},
      { Origin: 'https://chat.example.com:8443', Host: 'chat.example.com' },
      true,
    ],
    ['another site', {}, { Origin: 'https://evil.example', Host: 'chat.example.com' }, false],
    [
      'a site whose name ends the same',
      {},
      { Origin: 'https://evilchat.example.com', Host: 'chat.example.com' },
      false,
    ],
    ['another port of the host', {}, { Origin: 'https://chat.example.com:1', Host: 'chat.example.com:443' }, false],
    ['a page without an origin', {}, { Origin: 'null', Host: 'chat.example.com' }, false],
    [
      'one that is allowed',
      { CHAT_ALLOWED_ORIGINS: 'https://a.example, https://b.example' },
      { Origin: 'https://b.example' },
      true,
    ],
    [
      'one that is not, though it is the host',
      { CHAT_ALLOWED_ORIGINS: 'https://a.example' },
      { Origin: 'https://h', Host: 'h' },
      false,
    ],
    ['any', { CHAT_ALLOWED_ORIGINS: '*' }, { Origin: 'null' }, true],
  ])('%s', async (_desc, environment, headers, isAllowed) => {
    const chat = await start(environment as Record<string, string>);
    const client = new RawClient(chat, { headers: headers as Record<string, string> });
    if (isAllowed) await client.next('welcome');
    else expect(await client.refused()).toMatchObject({ status: 403, body: { code: 'bad-origin' } });
    const path = '/send';
    const answer = await new Promise<number>((resolve) => {
      const asked = request({ port: chat.httpPort, path, method: 'POST', headers }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      asked.end(JSON.stringify({ ...send(1), name: 'Ann', key: 'k'.repeat(20) }));
    });
    expect(answer).toBe(isAllowed ? 200 : 403);
  });
});

describe('the fallback', () => {
  const events = async (chat: Chat, rooms: object[]) => {
    const abort = new AbortController();
    const response = await fetch(`http://127.0.0.1:${chat.httpPort}/events`, {
      method: 'POST',
      body: JSON.stringify({ rooms }),
      signal: abort.signal,
    });
    const received: ServerMessage[] = [];
    const reading = (async () => {
      let rest = '';
      for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
        const parts = (rest + Buffer.from(chunk).toString()).split('\n\n');
        rest = parts.pop() ?? '';
        for (const part of parts) if (part.startsWith('data: ')) received.push(JSON.parse(part.slice(6)));
      }
    })().catch(() => {});
    return { response, received, close: () => abort.abort(), reading };
  };
  const key = 'k'.repeat(20);

  test('carries a conversation with somebody on a WebSocket, and is not buffered on the way', async () => {
    const chat = await start();
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    const bo = await events(chat, [{ type: 'join', room: 'lobby', name: 'Bo', key }]);
    expect(bo.response.headers.get('x-accel-buffering')).toBe('no');

    const answer = await post(chat, '/send', { ...send(1), name: 'Bo', key });
    const told = await ann.next('message');
    expect([answer.status, await answer.json()]).toMatchObject([200, { type: 'ack', id: 'message-1', offset: 1 }]);
    ann.say(send(2));
    await until(() => bo.received.filter(({ type }) => type === 'message').length === 2, 'both messages');
    expect((bo.received.find(({ type }) => type === 'joined') as { person: string }).person).toBe(told.person);
    await ann.next('presence', (message) => message.joined.length === 1);
    bo.close();
    await ann.next('presence', ({ left }) => left.length === 1);
  });

  test.each([
    ['not JSON', 'x', 400, 'bad-message'],
    ['no key', { ...send(1), name: 'Ann' }, 400, 'bad-message'],
    ['a body that is too large', { ...send(1), name: 'Ann', key, text: 'x'.repeat(100_000) }, 413, 'message-too-large'],
    ['a text that is too large', { ...send(1), name: 'Ann', key, text: 'x'.repeat(5000) }, 413, 'message-too-large'],
  ])('refuses %s', async (_desc, body, status, code) => {
    const chat = await start();
    const answer = await post(chat, '/send', body);
    expect([answer.status, await answer.json()]).toMatchObject([status, { type: 'error', code }]);
  });

  test('has the same message limit, by person', async () => {
    const chat = await start({ CHAT_MESSAGES_PER_SECOND: '1' });
    const statuses: number[] = [];
    for (let n = 0; n < 11; n += 1) statuses.push((await post(chat, '/send', { ...send(n), name: 'A', key })).status);
    expect(statuses).toEqual([...Array(10).fill(200), 429]);
    expect((await post(chat, '/send', { ...send(1), name: 'B', key: 'other-key-other-key' })).status).toBe(200);
  });
});

describe('stopping', () => {
  test('clients are told when to come back, each at another time, and closed with 1012; the port is closed', async () => {
    const chat = await startTestChat({ CHAT_RECONNECT_SPREAD_SECONDS: '60' });
    const clients = await Promise.all(Array.from({ length: 10 }, () => joined(new RawClient(chat), 'lobby', 'Ann')));
    await chat.stop();
    const times = await Promise.all(clients.map(async (client) => (await client.next('closing')).reconnectAfterMs));
    expect(new Set(times).size).toBeGreaterThan(5);
    expect(Math.max(...times)).toBeLessThanOrEqual(60_000);
    await until(() => clients.every(({ closed }) => closed !== null), 'all closed');
    expect(clients.map(({ closed }) => closed?.code)).toEqual(Array(10).fill(1012));
    await expect(get(chat, '/healthz')).rejects.toThrow();
  });

  test('one that does not close is cut when the drain is over', async () => {
    const chat = await startTestChat({ CHAT_DRAIN_SECONDS: '1' });
    const ann = await joined(new RawClient(chat), 'lobby', 'Ann');
    ann.socket.pause();
    const started = Date.now();
    await chat.stop();
    expect(Date.now() - started).toBeGreaterThan(900);
    expect(Date.now() - started).toBeLessThan(3000);
  });

  test('restarts under a conversation lose and double nothing, with memory and journal', async () => {
    await using directory = await temporaryDirectory();
    const environment = { CHAT_STATE_DIRECTORY: directory.path, CHAT_MESSAGES_PER_SECOND: '0' };
    let chat = await startTestChat(environment);
    const ports = { CHAT_HTTP_PORT: String(chat.httpPort), CHAT_WEBSOCKET_PORT: String(chat.webSocketPort) };
    const clients = Array.from({ length: 10 }, (_, n) => {
      const client = new RecordingClient({
        instance: () => chat,
        transports: n % 5 === 0 ? ['events'] : ['websocket'],
      });
      client.client.join('lobby', `Person ${n}`);
      client.client.start();
      return client;
    });
    const sent: string[] = [];
    for (let n = 0; n < 300; n += 1) {
      sent.push(clients[n % 10]?.client.send('lobby', `${n}`) ?? '');
      if (n % 100 === 50) {
        await chat.stop();
        chat = await startTestChat({ ...environment, ...ports });
      }
      await sleep(5);
    }
    await until(() => clients.every(({ messages }) => messages.length >= 300), 'all messages everywhere', 15_000).catch(
      () => {},
    );
    for (const { client } of clients) client.stop();
    chats.push(chat);
    for (const { messages, lost } of clients) {
      expect(messages.map(({ offset }) => offset)).toEqual(sent.map((_, index) => index + 1));
      expect(new Set(messages.map(({ id }) => id))).toEqual(new Set(sent));
      expect(lost).toBe(0);
    }
  });
});

describe('for operators', () => {
  test('metrics are not for requests that came through nginx, unless set so', async () => {
    const [local, open, off] = [
      await start(),
      await start({ CHAT_METRICS: 'public' }),
      await start({ CHAT_METRICS: 'off' }),
    ];
    const statuses = async (chat: Chat) => [
      (await get(chat, '/metrics')).status,
      (await get(chat, '/metrics', { 'X-Client-Address-Trust': 'no' })).status,
    ];
    expect([await statuses(local), await statuses(open), await statuses(off)]).toEqual([
      [200, 404],
      [200, 200],
      [404, 404],
    ]);
  });

  test('the page comes with a policy that runs and loads nothing else', async () => {
    const { status, headers } = await get(await start(), '/');
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html;charset=utf-8']);
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|\*|data:/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
  });

  test.each([
    ['GET', '/nothing', 404],
    ['GET', '/../package.json', 404],
    ['GET', '/%2e%2e/%2e%2e/package.json', 404],
    ['DELETE', '/', 405],
    ['GET', '/send', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const chat = await start();
    const answer = await new Promise((resolve) => {
      request({ port: chat.httpPort, method, path }, (response) => resolve(response.resume().statusCode)).end();
    });
    expect(answer).toBe(status);
  });

  test('the WebSocket port speaks WebSocket under /ws/ alone', async () => {
    const chat = await start();
    expect((await fetch(`http://127.0.0.1:${chat.webSocketPort}/ws/`)).status).toBe(426);
    expect(await new RawClient(chat, { path: '/other' }).refused()).toMatchObject({ status: 404 });
    await new RawClient(chat, { path: '/ws/?x=1' }).next('welcome');
  });

  test('the handshake is the one of RFC 6455', async () => {
    const chat = await start();
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const accept = await new Promise((resolve) => {
      request({
        port: chat.webSocketPort,
        path: '/ws/',
        headers: {
          Connection: 'Upgrade',
          Upgrade: 'websocket',
          'Sec-WebSocket-Version': '13',
          'Sec-WebSocket-Key': key,
        },
      })
        .on('upgrade', (response, socket) => {
          socket.destroy();
          resolve(response.headers['sec-websocket-accept']);
        })
        .end();
    });
    const expected = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
    expect(accept).toBe(expected);
  });
});
