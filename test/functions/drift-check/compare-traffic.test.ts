/** What nginx's logs say, as it is told, whole. */
import { describe, expect, test } from '@jest/globals';
import { compareTraffic } from '../../../functions/drift-check/compare-traffic.ts';
import type { Receiver } from '../../../functions/drift-check/receiver.ts';
import type { Draft, Rules } from '../../../functions/drift-check/situation.ts';
import { NOW, noReceiver, receiver, rules, situation, state } from './situations.ts';

const SECONDS = NOW / 1000;
const LOGS_SINCE = rules().logsSince / 1000;
const SET_SECONDS = receiver().since;

type Case = readonly [string, Partial<Receiver['log']>, readonly Draft[]];

const draftsOf = (one: Receiver, changed: Partial<Rules> = {}, set = state()) =>
  compareTraffic(situation({ state: set, receivers: { 'i-1': one } }), rules(changed));
const logging = (log: Partial<Receiver['log']>) => receiver({ log: { ...receiver().log, ...log } });

describe('connections that were dropped at a strict port', () => {
  const dropped = { broken: 12, lastBroken: SECONDS - 30, brokenFrom: ['10.0.9.9'] };
  const past: Draft = {
    kind: 'broken-headers',
    severity: 'SOME_REQUESTS_FAIL',
    where: 'i-1',
    expected: 'every connection to a strict instance port begins with a PROXY line',
    observed: '12 were dropped since 2026-11-21T11:45:00.000Z, from 10.0.9.9',
    began: 0,
    cause: 'somebody calls the instance port directly, past the load balancer',
    mend: '',
  };
  const ofNodes =
    'they came from the load balancer’s subnets: a node has not followed, or somebody there calls the port directly';

  test.each<Case>([
    ['by somebody else', dropped, [past]],
    [
      'by an address of IPv6',
      { ...dropped, brokenFrom: ['2001:db8::1'] },
      [{ ...past, observed: '12 were dropped since 2026-11-21T11:45:00.000Z, from 2001:db8::1' }],
    ],
    [
      'by a node among others',
      { ...dropped, brokenFrom: ['10.0.9.9', '10.0.101.7'] },
      [
        {
          ...past,
          observed: '12 were dropped since 2026-11-21T11:45:00.000Z, from 10.0.9.9, 10.0.101.7',
          cause: ofNodes,
        },
      ],
    ],
    [
      'by nobody whose address was noted',
      { ...dropped, brokenFrom: [] },
      [{ ...past, observed: '12 were dropped since 2026-11-21T11:45:00.000Z, from an address that was not noted' }],
    ],
    [
      'by health checks of another kind of load balancer, which come from the same subnets',
      { ...dropped, brokenFrom: ['10.0.101.7'], checkers: true },
      [
        {
          ...past,
          kind: 'other-load-balancer',
          observed: '12 were dropped since 2026-11-21T11:45:00.000Z, from 10.0.101.7',
          cause:
            'an Application or Network Load Balancer has the instance as a target on a switched port (ELB-HealthChecker/2.0); it needs an instance port of its own',
        },
      ],
    ],
    ['by nobody', { ...dropped, broken: 0, lastBroken: 0 }, []],
    ['in the second at which the logs begin to say something new', { ...dropped, lastBroken: LOGS_SINCE }, []],
    ['a second after that', { ...dropped, lastBroken: LOGS_SINCE + 1 }, [past]],
  ])('%s', (_desc, log, drafts) => {
    expect(draftsOf(logging(log))).toEqual(drafts);
  });

  test.each<[string, number, readonly Draft[]]>([
    ['in the second in which the receiver was set', SET_SECONDS, []],
    ['a second after that', SET_SECONDS + 1, [past]],
  ])('%s', (_desc, lastBroken, drafts) => {
    expect(draftsOf(logging({ ...dropped, lastBroken }), { logsSince: 0 })).toEqual(drafts);
  });

  test.each([
    ['several networks', '10.0.9.0/28 10.0.101.0/24', ofNodes],
    ['none', '', past.cause],
    ['what an older version did not note', undefined, past.cause],
  ])('are laid to the nodes by the subnets that the switch was told of: %s', (_desc, trustedCidrs, cause) => {
    const { trustedCidrs: _, ...older } = state();
    const set = trustedCidrs === undefined ? older : { ...older, trustedCidrs };
    const brokenFrom = ['10.0.101.7'];

    expect(draftsOf(logging({ ...dropped, brokenFrom }), {}, set).map((each) => each.cause)).toEqual([cause]);
  });

  test('at an instance that was never prepared are its own affair', () => {
    expect(draftsOf({ ...noReceiver(), log: { ...receiver().log, ...dropped } })).toEqual([]);
  });
});

describe('requests that were refused for a PROXY line', () => {
  const refused = { requests: 10, proxied: 5, lastProxied: SECONDS - 30 };
  const twice: Draft = {
    kind: 'proxy-lines-refused',
    severity: 'SOME_REQUESTS_FAIL',
    where: 'i-1',
    expected: 'one PROXY line at a strict port, none at a plain one',
    observed: '5 of 10 requests since 2026-11-21T11:45:00.000Z were refused with 400 for a PROXY line too many',
    began: 0,
    cause: 'something in front of the instance writes a PROXY line as well: a second proxy, or another load balancer',
    mend: '',
  };

  test.each<Case>([
    ['five, half of what arrived', refused, [twice]],
    ['less than half of it', { ...refused, requests: 11 }, []],
    ['all four of it', { ...refused, requests: 4, proxied: 4 }, []],
    ['before the logs begin to say something new', { ...refused, lastProxied: LOGS_SINCE }, []],
  ])('%s', (_desc, log, drafts) => {
    expect(draftsOf(logging(log))).toEqual(drafts);
  });
});
