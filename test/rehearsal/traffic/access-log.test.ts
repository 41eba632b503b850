import { describe, expect, test } from '@jest/globals';
import { type SentRequest, verifyByAccessLog } from '../../../rehearsal/traffic/access-log.ts';

const NODE = '10.0.101.21';
const ALB = '10.0.111.21';
const RUN = {
  nodes: [NODE],
  albs: [ALB],
  phases: [
    { name: 'both', modes: ['both'] as const },
    { name: 'proxy', modes: ['proxy'] as const },
  ],
};

function sent(rid: string, more: Partial<SentRequest> = {}): SentRequest {
  return {
    rid,
    stream: 'new',
    listener: 'plain',
    source: '198.51.100.10',
    target: NODE,
    openedPhase: 0,
    startedPhase: 0,
    endedPhase: 0,
    outcome: 'ok',
    ...more,
  };
}

function line(rid: string, more: Record<string, unknown> = {}): string {
  const request = `GET /whoami?rid=${rid} HTTP/1.1`;
  return JSON.stringify({ time: 1, client: NODE, claimed: '', peer: NODE, trust: 'no', request, status: 301, ...more });
}

const IN_PROXY = { openedPhase: 1, startedPhase: 1, endedPhase: 1 };

describe('the access logs', () => {
  test.each<[string, Partial<SentRequest>, Record<string, unknown>, string]>([
    ['the node, in both', {}, {}, 'correct'],
    ['nobody, in both', {}, { client: '', claimed: '198.51.100.10' }, 'correct'],
    ['nobody, as nginx writes it', {}, { client: '-' }, 'correct'],
    ['the claimed one, in both', {}, { client: '198.51.100.10' }, 'wrong'],
    ['a forged one, in both', { stream: 'forged' }, { client: '203.0.113.99' }, 'wrong'],
    ['the own one, in proxy', IN_PROXY, { client: '198.51.100.10', trust: 'yes' }, 'correct'],
    ["somebody else's, in proxy", IN_PROXY, { client: '198.51.100.11', trust: 'yes' }, 'wrong'],
    ['the node, in proxy', IN_PROXY, {}, 'unverified'],
    ['the own one, by an ALB, in both', { target: ALB }, { client: '198.51.100.10', trust: 'yes' }, 'correct'],
    ['one that the client wrote, by an ALB', { target: ALB }, { client: '203.0.113.66', trust: 'yes' }, 'wrong'],
    ["the ALB's own", { target: ALB }, { client: ALB }, 'wrong'],
    [
      'the own one, begun in both and ended in proxy',
      { endedPhase: 1 },
      { client: '198.51.100.10', trust: 'yes' },
      'correct',
    ],
  ])('show which address was told of a redirect: %s', async (_, request, logged, judgement) => {
    const { clientAddress } = await verifyByAccessLog([sent('a', request)], [line('a', logged)], RUN);

    expect(clientAddress).toEqual({ correct: 0, wrong: 0, unverified: 0, [judgement]: 1 });
  });

  test('do not miss a redirect that an ALB answers itself', async () => {
    const { answeredUnlogged } = await verifyByAccessLog([sent('a', { target: ALB }), sent('b')], [], RUN);

    expect(answeredUnlogged).toBe(1);
  });

  test('do not judge again what the application has said itself', async () => {
    const { clientAddress, answered } = await verifyByAccessLog([sent('a', { listener: 'tls' })], [line('a')], RUN);

    expect(answered).toBe(1);
    expect(clientAddress).toEqual({ correct: 0, wrong: 0, unverified: 0 });
  });

  test('show failed requests that no machine ever saw', async () => {
    const requests = [
      sent('a', { outcome: 'reset' }),
      sent('b', { outcome: 'closed' }),
      sent('c', { outcome: 'status-5xx' }),
      sent('d'),
      sent('e'),
      sent('f', { outcome: 'retried' }),
      sent('g', { stream: 'forged', outcome: 'status-400' }),
    ];

    const found = await verifyByAccessLog(requests, [line('c', { status: 502 }), line('d')], RUN);

    expect(found).toMatchObject({
      answered: 1,
      answeredUnlogged: 1,
      failedLogged: 1,
      failedUnlogged: 2,
      failedUnloggedByKind: { reset: 1, closed: 1 },
    });
    expect(found.phases[0]).toMatchObject({ name: 'both', failedUnlogged: 2 });
    expect(found.phases[1]).toMatchObject({ name: 'proxy', failedUnlogged: 0 });
  });

  test('show PROXY lines that were taken for requests, claimed addresses, and lines that nobody can read', async () => {
    const lines = [
      JSON.stringify({ request: 'PROXY TCP4 198.51.100.10 10.0.101.21 1 80', status: 400 }),
      line('a', { client: '', claimed: '198.51.100.10' }),
      line('b', { client: '', claimed: '203.0.113.99' }),
      line('unknown'),
      '{"cut off',
      '',
    ];

    const found = await verifyByAccessLog([sent('a'), sent('b', { stream: 'forged' })], lines, RUN);

    expect(found).toMatchObject({ proxyLinesAsRequests: 1, claimed: { own: 1, other: 1 }, unreadable: 1 });
  });
});
