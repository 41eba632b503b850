import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type FuzzedConnection,
  fuzzedConnection,
  judgeFuzzed,
  KINDS,
  type Kind,
  missingKinds,
  requestOf,
} from './fuzzed-connections.ts';

const PEER = '198.51.100.10';
const TOLD_PEER = { 'x-real-ip': PEER, 'x-forwarded-for': PEER, 'x-client-address-trust': 'no' };
const TOLD_CLAIMED = { 'x-real-ip': '203.0.113.9', 'x-forwarded-for': '203.0.113.9', 'x-client-address-trust': 'yes' };
const TOLD_NOBODY = { 'x-client-address-trust': 'no' };
const connection = (kind: Kind): FuzzedConnection => ({ kind, claimed: '203.0.113.9', parts: () => [] });

describe('generated connections', () => {
  test('are of every kind', () => {
    const sample = fc.sample(fuzzedConnection(1), { seed: 1, numRuns: 400 });

    expect(missingKinds(sample)).toEqual([]);
    expect(missingKinds(sample.filter(({ kind }) => kind !== 'TLS'))).toEqual(['TLS']);
    expect(KINDS.length).toBeGreaterThan(15);
  });

  test('are what their kind says', () => {
    fc.assert(
      fc.property(fuzzedConnection(1), ({ kind, parts, claimed }) => {
        const text = parts(requestOf(7, claimed))
          .filter((part) => typeof part === 'string')
          .join('');
        const firstLine = text.slice(0, text.indexOf('\n') + 1);
        if (kind === 'over-long') expect(firstLine.length).toBeGreaterThan(107);
        if (kind.startsWith('TCP')) expect(firstLine.length).toBeLessThanOrEqual(107);
        if (kind === 'TCP4 in pieces')
          expect(parts('').findIndex((part) => typeof part === 'number')).toBeGreaterThan(0);
        if (kind.startsWith('TCP4')) expect(firstLine).toMatch(/^PROXY TCP4 (\d+\.){3}\d+ (\d+\.){3}\d+ \d+ \d+\r\n$/);
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});

describe('what the application was told', () => {
  test.each([
    ['no line', 'plain', TOLD_PEER],
    ['no line', 'both', TOLD_PEER],
    ['TCP4', 'both', TOLD_NOBODY],
    ['TCP4', 'proxy', TOLD_CLAIMED],
    ['UNKNOWN', 'proxy', TOLD_PEER],
  ] as const)('is right: %s in %s', (kind, mode, headers) => {
    expect(judgeFuzzed([connection(kind)], [{ url: '/fuzzed/0', headers }], mode, PEER)).toEqual([]);
  });

  test.each([
    [
      'a forged address in both',
      'TCP4',
      'both',
      TOLD_CLAIMED,
      /with x-real-ip "203\.0\.113\.9" instead of "undefined"/,
    ],
    [
      'a header of the client',
      'no line',
      'plain',
      { ...TOLD_PEER, 'x-forwarded-for': '203.0.113.9' },
      /x-forwarded-for/,
    ],
    ['trust that nobody has', 'UNKNOWN', 'proxy', { ...TOLD_PEER, 'x-client-address-trust': 'yes' }, /trust/],
    ['a second line', 'two lines', 'proxy', TOLD_CLAIMED, /two lines\) was served/],
    ['a request without a line', 'no line', 'proxy', TOLD_PEER, /was served/],
  ] as const)('is wrong: %s', (_, kind, mode, headers, sentence) => {
    const [said] = judgeFuzzed([connection(kind)], [{ url: '/fuzzed/0', headers }], mode, PEER);

    expect(said).toMatch(sentence);
  });

  test('is missing: what is well-formed and was not served', () => {
    expect(judgeFuzzed([connection('TCP4'), connection('TLS')], [], 'both', PEER)).toEqual([
      'in both, 0 (TCP4) was not served',
    ]);
  });
});
