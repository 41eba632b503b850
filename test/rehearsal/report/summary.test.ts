import { describe, expect, test } from '@jest/globals';
import { summary } from '../../../rehearsal/report/summary.ts';
import { aCostlyResult, aResult, requests } from './results.ts';

const plain = (
  ...[result, more]: [Parameters<typeof summary>[0], { pageUrl?: string; shortfalls?: readonly string[] }?]
) => summary(result, { colour: false, ...more });

describe('the summary', () => {
  test('of a run in which nothing failed says so, and how each phase saw a client', () => {
    const text = plain(aResult(), { pageUrl: 'https://127.0.0.1:8443/' });

    expect(text).toMatch(/^PROXY protocol was switched on under load: no request failed, no WebSocket was dropped\./);
    expect(text).toMatch(/new connections +24,000 +0 failed/);
    expect(text).toMatch(/plain .*198\.51\.100\.12 seen as 10\.0\.101\.21, not trusted/);
    expect(text).toMatch(/both .*198\.51\.100\.13 seen as nobody/);
    expect(text).toMatch(/proxy .*198\.51\.100\.14 seen as itself, verified/);
    expect(text).toContain('The chat page: https://127.0.0.1:8443/');
  });

  test('counts cycles', () => {
    expect(plain(aResult({ cycles: 5 }))).toContain('switched 5 times on and off again under load');
  });

  test('of a migration says by which load balancer clients came, and that WebSockets came back', () => {
    const newConnectionsByEntry = { classic: requests(14_000), alb: requests(10_000) };
    const { webSockets } = aResult();
    const text = plain(aResult({ newConnectionsByEntry, webSockets: { ...webSockets, returned: 60 } }));

    expect(text).toMatch(/^Clients were led to the Application Load Balancer under load: no request failed/);
    expect(text).toMatch(/new connections +24,000 +0 failed +14,000 by the Classic ELB, 10,000 by the ALB/);
    expect(text).toMatch(/WebSockets +60 +0 dropped +60 came back by themselves/);
  });

  test('of a run in which something failed begins with what', () => {
    const text = plain(aResult({ newConnections: requests(24_000, { reset: 3 }), stack: { status: 'CREATE_FAILED' } }));

    expect(text.split('\n').slice(0, 3)).toEqual([
      '2 things fell short:',
      '  - 3 of 24,000 new connections failed: 3 reset',
      '  - the stack ended in CREATE_FAILED',
    ]);
    expect(text).not.toContain('no request failed');
  });

  test('of a run whose scenario cut something off, by which it falls short of nothing, does not call that nothing', () => {
    const text = plain(aResult({ newConnections: requests(24_000, { reset: 3 }) }), { shortfalls: [] });

    expect(text).toMatch(/^Clients lost nothing but what was cut off on purpose\./);
    expect(text).toMatch(/new connections +24,000 +3 failed/);
    expect(text).not.toContain('no request failed');
  });

  test.each([
    ['elb-first', 'lines that begin with PROXY and were answered 400'],
    ['nginx-first', "not one stands in nginx's access logs"],
  ] as const)('of %s says what it cost and what the logs show of it', (order, logs) => {
    const text = plain(aCostlyResult(order));

    expect(text).toContain('(10.0 s): 2,440 of 4,000 new connections failed, 61.0 %.');
    expect(text).toContain(logs);
    expect(text).not.toContain('no request failed');
  });
});
