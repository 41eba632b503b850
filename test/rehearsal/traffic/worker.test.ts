/** The clients' process as it is, against servers that each misbehave in one way: every counter sees its failure. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { type TrafficPlanInput, trafficPlan } from '../../../rehearsal/traffic/plan.ts';
import { readRecords } from '../../../rehearsal/traffic/request-record.ts';
import { startTraffic, type Traffic } from '../../../rehearsal/traffic/traffic.ts';
import { CHAT } from './certificates.ts';
import {
  answer,
  type ChatServerOptions,
  type OnRequest,
  peerOf,
  REDIRECT,
  type StartedServer,
  serveChat,
  serveRaw,
  whoami,
} from './servers.ts';

let directory: string;
let command: string[];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'traffic-'));
  const outfile = join(directory, 'worker.cjs');
  await build({ entryPoints: ['rehearsal/traffic/worker.ts'], outfile, bundle: true, platform: 'node', format: 'cjs' });
  command = [process.execPath, outfile];
});
afterAll(() => rm(directory, { recursive: true }));

const started: StartedServer[] = [];
const running: Traffic[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((traffic) => traffic[Symbol.asyncDispose]()));
  await Promise.all(started.splice(0).map((server) => server.stop()));
});

const SOURCES = Array.from({ length: 24 }, (_, index) => `127.0.0.${10 + index}`);
const NODE = '127.0.0.1';
const SILENT = {
  newConnections: { perSecond: 0 },
  keepAlive: { clients: 0 },
  webSockets: { clients: 0 },
  forged: { perSecond: 0 },
};
async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

interface Servers {
  readonly plain?: OnRequest;
  readonly tls?: OnRequest;
  readonly chat?: ChatServerOptions;
}

async function start(
  servers: Servers,
  input: Partial<TrafficPlanInput>,
): Promise<Traffic & { ports: { plain: number; tls: number } }> {
  const plain = await serveRaw(servers.plain ?? ((socket) => void socket.end(REDIRECT)));
  const tls = servers.chat
    ? await serveChat(servers.chat)
    : await serveRaw(
        servers.tls ?? ((socket) => void socket.write(whoami({ address: peerOf(socket), trusted: true }))),
        {
          tls: 'chat',
        },
      );
  started.push(plain, tls);
  const ports = { plain: plain.port, tls: tls.port };
  const traffic = startTraffic({
    command,
    plan: trafficPlan({
      ...SILENT,
      sources: SOURCES,
      targets: [NODE],
      ports,
      tls: { servername: CHAT.servername, ca: CHAT.cert },
      phase: { name: 'proxy', modes: ['proxy'] },
      maxSeconds: 20,
      stopGraceMs: 300,
      ...input,
    }),
  });
  running.push(traffic);
  return Object.assign(traffic, { ports });
}

async function run(servers: Servers, input: Partial<TrafficPlanInput>, ms = 500) {
  const traffic = await start(servers, input);
  await traffic.ready;
  await sleep(ms);
  return traffic.stop();
}

const NEW_PLAIN = { newConnections: { perSecond: 100, tlsShare: 0, timeoutMs: 200 } };
const NEW_TLS = { newConnections: { perSecond: 100, tlsShare: 1, timeoutMs: 200 } };
const KEEP_ALIVE_TLS = { keepAlive: { clients: 2, thinkTimeMs: [10, 30] as const, tlsShare: 1, timeoutMs: 200 } };

describe('new connections', () => {
  test('that are answered are counted so, from every source and by both listeners', async () => {
    const result = await run({}, { newConnections: { perSecond: 200, tlsShare: 0.25 } });

    expect(result.newConnections.sent).toBeGreaterThan(90);
    expect(result.newConnections).toMatchObject({ ok: result.newConnections.sent, failed: 0, failures: {} });
    expect(result.newConnectionsByListener.tls.ok / result.newConnections.sent).toBeCloseTo(0.25, 1);
    expect(result.generator).toMatchObject({ sources: 24, capReached: 0 });
    expect(result.clientAddress).toEqual({ correct: result.newConnectionsByListener.tls.ok, wrong: 0, unverified: 0 });
  });

  test.each<[string, Partial<TrafficPlanInput>, Servers, string]>([
    ['reset', NEW_PLAIN, { plain: (socket) => socket.resetAndDestroy() }, 'reset'],
    ['closed without an answer', NEW_PLAIN, { plain: (socket) => socket.end() }, 'closed'],
    ['cut off within the answer', NEW_PLAIN, { plain: (socket) => socket.end('HTTP/1.1 3') }, 'truncated'],
    ['never answered', NEW_PLAIN, { plain: () => {} }, 'timeout'],
    ['answered 400', NEW_PLAIN, { plain: (socket) => socket.end(answer(400, '')) }, 'status-400'],
    ['answered 404', NEW_TLS, { tls: (socket) => socket.end(answer(404, '')) }, 'status-4xx'],
    ['answered 502', NEW_TLS, { tls: (socket) => socket.end(answer(502, '')) }, 'status-5xx'],
    [
      'answered 200 where a redirect is due',
      NEW_PLAIN,
      { plain: (socket) => socket.end(answer(200, '')) },
      'status-other',
    ],
    [
      'redirected to http',
      NEW_PLAIN,
      { plain: (socket) => socket.end(answer(301, '', { Location: 'http://chat.example/' })) },
      'bad-answer',
    ],
    ['answered with another page', NEW_TLS, { tls: (socket) => socket.end(answer(200, '<html>')) }, 'bad-answer'],
    [
      'met by another certificate than expected',
      { ...NEW_TLS, tls: { servername: 'other.example', ca: CHAT.cert } },
      {},
      'tls',
    ],
  ])('%s', async (_, input, servers, kind) => {
    const result = await run(servers, input, 300);

    const { sent } = result.newConnections;
    expect(sent).toBeGreaterThan(20);
    expect(result.newConnections).toEqual({ sent, ok: 0, failed: sent, failures: { [kind]: sent } });
    expect(result.seconds.reduce((sum, second) => sum + (second.failures[kind as 'reset'] ?? 0), 0)).toBe(sent);
    expect(result.examples.length).toBeGreaterThan(0);
  });

  test('are not tried again: one failure in ten is one in ten', async () => {
    let nth = 0;
    const plain: OnRequest = (socket) => {
      nth += 1;
      if (nth % 10 === 0) socket.destroy();
      else socket.end(REDIRECT);
    };

    const result = await run({ plain }, NEW_PLAIN, 1000);

    expect(result.newConnections.failed).toBe(Math.floor(result.newConnections.sent / 10));
  });

  test('go to the targets of the moment', async () => {
    const recordFile = join(directory, 'targets');
    const traffic = await start({}, { ...NEW_PLAIN, recordFile });
    await traffic.ready;

    await sleep(200);
    await traffic.targets(['127.0.0.2', '127.0.0.3']);
    const changedMs = Date.now();
    await sleep(300);
    await traffic.stop();

    const records = await all(readRecords(recordFile));
    const targetsOf = (isLater: boolean) =>
      new Set(records.filter((record) => record.startMs > changedMs === isLater).map((record) => record.target));
    expect([...targetsOf(false)][0]).toBe(NODE);
    expect([...targetsOf(true)].sort()).toEqual(['127.0.0.2', '127.0.0.3']);
  });
});

describe('weighted entries', () => {
  test('lead each client by their weights, and answers are judged by the entry', async () => {
    const recordFile = join(directory, 'entries');
    const traffic = await start({}, { ...NEW_TLS, recordFile, phase: { name: 'both', modes: ['both'] } });
    await traffic.ready;
    await traffic.entries([
      { kind: 'classic', addresses: ['127.0.0.2'], weight: 192 },
      { kind: 'alb', addresses: ['127.0.0.3', '127.0.0.4'], weight: 64 },
    ]);
    const changedMs = Date.now();
    await sleep(1_000);
    const result = await traffic.stop();

    const targets = (await all(readRecords(recordFile)))
      .filter(({ startMs }) => startMs > changedMs)
      .map((each) => each.target);
    const share = (target: string) => targets.filter((each) => each === target).length / targets.length;
    expect(share('127.0.0.2')).toBeCloseTo(0.75, 1);
    expect(Math.abs(share('127.0.0.3') - share('127.0.0.4'))).toBeLessThan(0.1);
    // The server trusts everybody, which is right of an ALB in every mode, and of a Classic ELB in `both` never.
    expect(result.newConnectionsByEntry.alb.ok).toBe(result.clientAddress.correct);
    expect(result.newConnectionsByEntry.classic.ok).toBe(result.clientAddress.wrong);
  });
});

describe('keep-alive requests', () => {
  test('use one connection again', async () => {
    const result = await run({}, KEEP_ALIVE_TLS);

    expect(result.keepAlive.sent).toBeGreaterThan(10);
    expect(result.keepAlive).toMatchObject({ failed: 0, retried: 0 });
    expect(started[1]?.connections).toBe(2);
  });

  test('that meet the close of a reused connection are sent once more, and counted as retried, not as failed', async () => {
    const tls: OnRequest = (socket, _request, nth) => {
      if (nth === 4) socket.destroy();
      else socket.write(whoami({ address: peerOf(socket), trusted: true }));
    };

    const result = await run({ tls }, KEEP_ALIVE_TLS);

    expect(result.keepAlive.retried).toBeGreaterThan(3);
    expect(result.keepAlive).toMatchObject({ failed: 0, ok: result.keepAlive.sent });
    // A retry is not sent twice in the counts.
    expect(result.keepAlive.retried / result.keepAlive.sent).toBeLessThan(0.4);
  });

  test('whose second attempt fails too have failed', async () => {
    let connections = 0;
    const tls: OnRequest = (socket, _request, nth) => {
      if (nth === 1) connections += 1;
      if (nth === 2 || connections > 2) socket.destroy();
      else socket.write(whoami({ address: peerOf(socket), trusted: true }));
    };

    const result = await run({ tls }, KEEP_ALIVE_TLS);

    expect(result.keepAlive.retried).toBe(2);
    expect(result.keepAlive.failed).toBeGreaterThanOrEqual(2);
    expect(result.keepAlive.ok + result.keepAlive.failed).toBe(result.keepAlive.sent);
  });

  test.each<[string, OnRequest, string]>([
    ['the first request of a connection', (socket) => socket.destroy(), 'closed'],
    [
      'a reused connection that ends within the answer',
      (socket, _request, nth) => {
        if (nth === 1) socket.write(whoami({ address: peerOf(socket), trusted: true }));
        else socket.end('HTTP/1.1 200 OK\r\n');
      },
      'truncated',
    ],
    [
      'a reused connection that does not answer',
      (socket, _request, nth) => {
        if (nth === 1) socket.write(whoami({ address: peerOf(socket), trusted: true }));
      },
      'timeout',
    ],
  ])('are not sent again after %s', async (_, tls, kind) => {
    const result = await run({ tls }, KEEP_ALIVE_TLS);

    expect(result.keepAlive.retried).toBe(0);
    expect(result.keepAlive.failed).toBeGreaterThan(0);
    expect(result.keepAlive.failures).toEqual({ [kind]: result.keepAlive.failed });
  });

  test('open a new connection where the server said close, without counting it', async () => {
    const tls: OnRequest = (socket) =>
      void socket.end(
        answer(200, whoami({ address: peerOf(socket), trusted: true }).split('\r\n\r\n')[1] ?? '', {
          Connection: 'close',
        }),
      );

    const result = await run({ tls }, KEEP_ALIVE_TLS);

    expect(result.keepAlive.sent).toBeGreaterThan(10);
    expect(result.keepAlive).toMatchObject({ failed: 0, retried: 0 });
  });
});

describe('WebSockets', () => {
  const FIVE = { webSockets: { clients: 5, messageIntervalMs: [30, 60] as const } };

  test('stay open, and every message comes back', async () => {
    const result = await run({ chat: {} }, FIVE);

    expect(result.webSockets).toMatchObject({
      opened: 5,
      failedToOpen: 0,
      dropped: 0,
      messagesLost: 0,
      complaints: 0,
      open: 0,
    });
    expect(result.webSockets.messagesSent).toBeGreaterThan(25);
    expect(result.webSockets.messagesEchoed).toBe(result.webSockets.messagesSent);
    expect(result.clientAddress.correct).toBe(5);
  });

  test('that are cut off are dropped, stay away, and what was on its way is lost', async () => {
    const chat: ChatServerOptions = {
      onSend: (socket, echo, number) => (number === 3 ? socket.terminate() : echo()),
    };

    const result = await run({ chat }, FIVE);

    expect(result.webSockets).toMatchObject({ opened: 5, dropped: 5, messagesSent: 15, messagesLost: 5 });
    expect(result.drops).toHaveLength(5);
    expect(result.drops[0]).toMatchObject({ code: 1006, phase: 'proxy' });
    expect(result.phases[0]?.webSocketsDropped).toBe(5);
  });

  test('that the service closes in good order are dropped all the same', async () => {
    const chat: ChatServerOptions = {
      onSend: (socket, echo, number) => {
        echo();
        if (number === 2) socket.close(1012, 'restart');
      },
    };

    const result = await run({ chat }, FIVE);

    expect(result.webSockets).toMatchObject({ dropped: 5, messagesLost: 0 });
    expect(result.drops[0]).toMatchObject({ code: 1012, reason: 'restart' });
  });

  test('whose messages are swallowed lose them, though nothing is dropped', async () => {
    const chat: ChatServerOptions = { onSend: (_socket, echo, number) => void (number === 2 || echo()) };

    const result = await run({ chat }, FIVE);

    expect(result.webSockets).toMatchObject({ dropped: 0, messagesLost: 5 });
    expect(result.webSockets.complaints).toBeGreaterThan(0); // The gap in the numbers.
  });

  test('come back when they are told to, in the middle of a message, and miss none', async () => {
    const traffic = await start({ chat: {} }, FIVE);
    await traffic.ready;

    await traffic.reconnect(200);
    await sleep(500);
    const result = await traffic.stop();

    expect(result.webSockets).toMatchObject({
      opened: 5,
      returned: 5,
      dropped: 0,
      messagesLost: 0,
      complaints: 0,
      open: 0,
    });
    expect(result.webSockets.messagesEchoed).toBe(result.webSockets.messagesSent);
    expect(result.clientAddress.correct).toBe(10);
  });

  test('that come back and are told that history was lost complain', async () => {
    const traffic = await start({ chat: { recovered: 'lost' } }, FIVE);
    await traffic.ready;

    await traffic.reconnect(100);
    await sleep(300);

    expect((await traffic.stop()).webSockets).toMatchObject({ returned: 5, complaints: 5 });
  });

  test('that cannot be opened are said so', async () => {
    const result = await run({ chat: { refuseUpgrade: true } }, FIVE);

    expect(result.webSockets).toMatchObject({ opened: 0, failedToOpen: 5, dropped: 0 });
    expect(result.examples.join()).toContain('503');
  });
});

describe('clients that forge a PROXY line', () => {
  const FORGED = { forged: { perSecond: 50, claimedAddress: '203.0.113.99', timeoutMs: 200 } };
  const tlsAnswers = (address: string | null): Servers => ({
    tls: (socket) => void socket.write(whoami({ address, trusted: false })),
    plain: (socket) => void socket.end(answer(400, '')),
  });

  test('are believed', async () => {
    const result = await run(tlsAnswers('203.0.113.99'), FORGED);

    expect(result.forged.believed).toBeGreaterThan(10);
    expect(result.clientAddress.wrong).toBe(result.forged.believed);
  });

  test('are served without an address on one listener, refused on the other', async () => {
    const result = await run(tlsAnswers(null), { ...FORGED, phase: { name: 'both', modes: ['both'] } });

    expect(result.forged).toMatchObject({ believed: 0, failed: 0 });
    expect(result.forged.served).toBeGreaterThan(10);
    expect(result.forged.refused).toBeGreaterThan(10);
    expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  });

  test('begin with their line', async () => {
    const requests: string[] = [];
    await run(
      {
        tls: (socket, request) => {
          requests.push(request);
          socket.end(answer(400, ''));
        },
      },
      FORGED,
    );

    expect(requests[0]).toMatch(/^PROXY TCP4 203\.0\.113\.99 127\.0\.0\.1 40000 \d+\r\nGET \/whoami\?rid=/);
  });
});

describe('phases', () => {
  test('have counts of their own, and one answer is right in one and wrong in the other', async () => {
    const traffic = await start({}, { ...NEW_TLS, phase: { name: 'both', modes: ['both'] } });
    await traffic.ready;

    await sleep(300);
    await traffic.phase('proxy');
    await sleep(300);
    const result = await traffic.stop();

    expect(result.phases.map((phase) => phase.name)).toEqual(['both', 'proxy']);
    const [both, proxy] = result.phases;
    // Trusted answers, which no receiver may give in `both`; those that ended in `proxy` are let pass.
    expect(both?.clientAddress.wrong).toBeGreaterThan(15);
    expect(both?.clientAddress.correct).toBe(both?.spanning);
    expect(proxy?.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
    expect((both?.newConnections.sent ?? 0) + (proxy?.newConnections.sent ?? 0)).toBe(result.newConnections.sent);
    expect(both?.endMs).toBe(proxy?.startMs);
    expect(proxy?.byInstance).toEqual({ 'machine-0': proxy?.newConnections.ok });
  });
});

describe('the process', () => {
  test('writes a record of each request', async () => {
    const recordFile = join(directory, 'records');
    const result = await run({}, { ...NEW_PLAIN, recordFile });

    const records = await all(readRecords(recordFile));

    expect(records).toHaveLength(result.newConnections.sent);
    expect(new Set(records.map((record) => record.rid)).size).toBe(records.length);
    expect(records[0]).toMatchObject({
      stream: 'new',
      listener: 'plain',
      source: '127.0.0.10',
      target: NODE,
      outcome: 'ok',
    });
  });

  test('reports once a second while it runs', async () => {
    const traffic = await start({}, NEW_PLAIN);

    for (let tries = 0; traffic.latest() === undefined && tries < 100; tries += 1) await sleep(50);

    expect(traffic.latest()).toMatchObject({ phase: 'proxy' });
    expect(traffic.latest()?.rates.newConnections).toBeGreaterThan(80);
    expect(traffic.latest()?.latencyMs.count).toBeGreaterThan(80);
  });

  test('ends by itself after maxSeconds', async () => {
    const traffic = await start({}, { ...NEW_PLAIN, maxSeconds: 1 });

    expect(await traffic.result).toMatchObject({ endedBy: 'maxSeconds', newConnections: { failed: 0 } });
  });

  test('ends when nobody is there to tell it anything', async () => {
    const { spawn } = await import('node:child_process');
    const child = spawn(command[0] as string, command.slice(1), { stdio: ['pipe', 'ignore', 'ignore'] });

    child.stdin.end();

    expect(await new Promise((resolve) => child.on('exit', resolve))).toBe(2);
  });

  test('that dies is reported by every call', async () => {
    const traffic = await start({}, NEW_PLAIN);
    await traffic[Symbol.asyncDispose]();

    await expect(traffic.stop()).rejects.toMatchObject({ code: 'ERR_TRAFFIC_WORKER_ENDED' });
  });

  test('that cannot be started says what was run', async () => {
    const plan = trafficPlan({ sources: SOURCES, targets: [NODE], tls: { servername: 'x', ca: '' } });
    const traffic = startTraffic({ command: ['/does/not/exist'], plan });

    await expect(traffic.ready).rejects.toThrow('/does/not/exist');
  });
});
