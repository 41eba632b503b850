import { describe, expect, test } from '@jest/globals';
import { buildResult, DISAGREEMENT_PHASE, type RehearsalResult, verdict } from '../../../rehearsal/report/result.ts';
import { verifyByAccessLog } from '../../../rehearsal/traffic/access-log.ts';
import { Ledger } from '../../../rehearsal/traffic/ledger.ts';
import type { RequestRecord } from '../../../rehearsal/traffic/request-record.ts';
import { aCostlyResult, aResult, phase, requests } from './results.ts';

describe('a run of the runbook', () => {
  test('in which nothing failed falls short of nothing', () => {
    expect(verdict(aResult())).toEqual([]);
  });

  test.each<[string, Partial<RehearsalResult>, RegExp]>([
    [
      'one new connection failed',
      { newConnections: requests(24_000, { reset: 1 }) },
      /^1 of 24,000 new connections failed: 1 reset$/,
    ],
    ['a keep-alive request failed', { keepAlive: { ...requests(2_400, { timeout: 1 }), retried: 0 } }, /1 timed out/],
    ['too many were sent again', { keepAlive: { ...requests(2_400), retried: 13 } }, /0\.54 %/],
    ['a WebSocket was dropped', { webSockets: { ...aResult().webSockets, dropped: 1 } }, /^1 WebSocket of 60 dropped$/],
    ['one was never opened', { webSockets: { ...aResult().webSockets, failedToOpen: 1 } }, /could not be opened/],
    ['a message was lost', { webSockets: { ...aResult().webSockets, messagesLost: 1 } }, /1 of 2,402 messages lost/],
    ['a message was refused', { webSockets: { ...aResult().webSockets, complaints: 1 } }, /refused/],
    ['an address was wrong', { clientAddress: { correct: 1, wrong: 1, unverified: 0 } }, /another address/],
    ['an address was not verified', { clientAddress: { correct: 1, wrong: 0, unverified: 1 } }, /not verified/],
    ['a forged line was believed', { forged: { ...aResult().forged, believed: 1 } }, /1 forged PROXY line believed/],
    ['the stack failed', { stack: { status: 'CREATE_FAILED' } }, /CREATE_FAILED/],
    ['the stack was rolled back', { stack: { status: 'ROLLBACK_COMPLETE' } }, /ROLLBACK_COMPLETE/],
    ['nobody saw proxy', { phases: [phase('plain', 0, 60_000)] }, /no answer was seen/],
    ['too little was sent', { newConnections: requests(19_999) }, /only 19,999 new connections/],
    ['nothing was sent', { newConnections: requests(0) }, /only 0 new connections/],
    ['too few addresses', { generator: { ...aResult().generator, sources: 1 } }, /1 address only/],
    ['the load was held back', { generator: { ...aResult().generator, capReached: 5 } }, /had to wait/],
  ])('%s', (_, more, sentence) => {
    const shortfalls = verdict(aResult(more));

    expect(shortfalls).toEqual([expect.stringMatching(sentence)]);
  });

  test('may be asked for less', () => {
    expect(verdict(aResult({ newConnections: requests(500) }), { newConnections: 400 })).toEqual([]);
  });
});

describe('a run of another order', () => {
  test.each(['elb-first', 'nginx-first'] as const)('%s: failures are what it is run for', (order) => {
    expect(verdict(aCostlyResult(order))).toEqual([]);
  });

  test('in which too little fails shows that the traffic is blind', () => {
    const result = aResult({ order: 'elb-first', phases: [phase(DISAGREEMENT_PHASE, 0, 10_000)] });

    expect(verdict(result)).toEqual([expect.stringContaining('only 0 of 4,000 new connections failed')]);
  });

  test('in which the sides never disagreed shows nothing', () => {
    expect(verdict(aResult({ order: 'elb-first' }))).toEqual([expect.stringContaining('no new connection was opened')]);
  });

  test('nginx-first: failed requests that stand in a log contradict what is known of it', () => {
    const result = aCostlyResult('nginx-first');
    const accessLog = result.accessLog as NonNullable<typeof result.accessLog>;
    const phases = accessLog.phases.map((each) => ({ ...each, failedLogged: 7 }));

    expect(verdict({ ...result, accessLog: { ...accessLog, phases } })).toEqual([
      expect.stringContaining("7 failed requests in nginx's access logs"),
    ]);
  });
});

describe('a result', () => {
  test('joins what the application said and what the access logs say, and counts time from the start', async () => {
    const records: RequestRecord[] = [];
    const ledger = new Ledger({
      startMs: 1_000_000,
      phase: { name: 'proxy', modes: ['proxy'] },
      nodes: ['10.0.101.21'],
      onRecord: (record) => records.push(record),
    });
    const source = '198.51.100.10';
    const tls = ledger.begin('new', { listener: 'tls', source, target: '10.0.101.21' }, 1_000_500);
    ledger.succeeded(tls, 1_000_510, { address: source, trusted: true, instance: 'machine-0' });
    const plain = ledger.begin('new', { listener: 'plain', source, target: '10.0.101.21' }, 1_001_500);
    ledger.succeeded(plain, 1_001_505);
    const traffic = ledger.result(1_002_000, 'asked');
    const lines = [
      { request: `GET /whoami?rid=${plain.rid} HTTP/1.1`, client: '10.0.101.21', trust: 'no', status: 301 },
    ];
    const accessLog = await verifyByAccessLog(
      records,
      lines.map((line) => JSON.stringify(line)),
      {
        nodes: ['10.0.101.21'],
        phases: traffic.phases,
      },
    );

    const { settings, stack, versions } = {
      settings: aResult(),
      stack: { status: 'CREATE_COMPLETE' },
      versions: aResult().versions,
    };
    const result = buildResult({ settings, traffic, accessLog, stack, versions });

    expect(result.clientAddress).toEqual({ correct: 1, wrong: 0, unverified: 1 });
    expect(result.phases[0]).toMatchObject({
      name: 'proxy',
      startMs: 0,
      endMs: 2_000,
      clientAddress: { correct: 1, unverified: 1 },
    });
    expect(result.seconds.map((second) => second.newConnections)).toEqual([1, 1, 0].slice(0, result.seconds.length));
    expect(result.newConnections).toEqual({ sent: 2, ok: 2, failed: 0, failures: {} });
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });
});
