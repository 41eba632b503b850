/** What a difference means for users, by what the instances take and who of them serves. */
import { describe, expect, test } from '@jest/globals';
import type { Severity } from '../../../functions/drift-check/finding.ts';
import type { Receiver } from '../../../functions/drift-check/receiver.ts';
import {
  failsAnywhere,
  failsAt,
  isKnown,
  known,
  severityAtInstance,
  severityAtPort,
  type Unreachable,
} from '../../../functions/drift-check/situation.ts';
import type { ReceiverMode } from '../../../functions/shared/switch-state.ts';
import {
  bothReceiver,
  type Given,
  listener,
  loadBalancer,
  noReceiver,
  plainReceiver,
  receiver,
  situation,
  state,
} from './situations.ts';

const lost: Unreachable = { unreachable: 'ConnectionLost' };
/** The load balancer sends plain connections. */
const off = loadBalancer({});

test.each<[string, Receiver, 'plain' | 'proxy', boolean]>([
  ['strict', receiver(), 'proxy', false],
  ['strict', receiver(), 'plain', true],
  ['plain', plainReceiver(), 'plain', false],
  ['plain', plainReceiver(), 'proxy', true],
  ['a port that takes both', bothReceiver(), 'plain', false],
  ['a port that takes both', bothReceiver(), 'proxy', false],
  ['a port where nobody answers', receiver({ live: { 80: 'none' } }), 'plain', true],
  ['a port where nobody answers', receiver({ live: { 80: 'none' } }), 'proxy', true],
  ['a port that was not looked at', receiver({ live: {} }), 'plain', false],
  ['an instance that nobody prepared', noReceiver(), 'plain', false],
  ['an instance that nobody prepared', noReceiver(), 'proxy', true],
])('at %s %s connections fail: %s', (_desc, each, sent, fails) => {
  expect(failsAt(each, 80, sent)).toBe(fails);
});

test('an instance is known by an answer', () => {
  expect([receiver(), lost, undefined].map(isKnown)).toEqual([true, false, false]);
  expect(known(situation({ receivers: { 'i-1': lost, 'i-2': receiver() } }))).toEqual([['i-2', receiver()]]);
});

describe('at a port', () => {
  test.each<[string, Given, Severity]>([
    ['every request fails that no instance takes', { receivers: { 'i-1': receiver() } }, 'EVERY_REQUEST_FAILS'],
    ['some fail, of some instances', { receivers: { 'i-1': receiver(), 'i-2': bothReceiver() } }, 'SOME_REQUESTS_FAIL'],
    ['none fail where each takes them', { receivers: { 'i-1': plainReceiver(), 'i-2': bothReceiver() } }, 'UNTIDY'],
    [
      'none fail of instances that are out of service',
      { receivers: { 'i-1': receiver(), 'i-2': bothReceiver() }, outOfService: new Set(['i-1']) },
      'UNTIDY',
    ],
    [
      'every request fails where those are out of service that would take them',
      { receivers: { 'i-1': receiver(), 'i-2': bothReceiver() }, outOfService: new Set(['i-2']) },
      'EVERY_REQUEST_FAILS',
    ],
  ])('%s', (_desc, given, severity) => {
    expect(severityAtPort(situation({ loadBalancer: off, ...given }), 80, 'UNTIDY')).toBe(severity);
  });

  test.each<[ReceiverMode, boolean, Severity]>([
    ['proxy', true, 'UNTIDY'],
    ['proxy', false, 'EVERY_REQUEST_FAILS'],
    ['plain', true, 'EVERY_REQUEST_FAILS'],
    ['plain', false, 'UNTIDY'],
    ['both', true, 'UNTIDY'],
    ['both', false, 'UNTIDY'],
  ])('without an answer they are taken to be %s as set; policy on: %s', (mode, isOn, severity) => {
    const given = { state: state({ mode }), receivers: { 'i-1': lost }, loadBalancer: isOn ? loadBalancer() : off };
    expect(severityAtPort(situation(given), 80, 'UNTIDY')).toBe(severity);
  });
});

describe('at an instance', () => {
  const isStrict = ({ mode }: Receiver) => mode === 'proxy';

  test.each<[string, Given, Severity]>([
    ['that is in order nothing fails', { receivers: { 'i-1': plainReceiver() } }, 'UNTIDY'],
    ['that cannot be asked nothing is known', { receivers: { 'i-1': lost } }, 'UNTIDY'],
    ['that is not there nothing is known', { receivers: { 'i-2': receiver() } }, 'UNTIDY'],
    ['some requests fail', { receivers: { 'i-1': receiver(), 'i-2': plainReceiver() } }, 'SOME_REQUESTS_FAIL'],
    ['some fail, if another may be in order', { receivers: { 'i-1': receiver(), 'i-2': lost } }, 'SOME_REQUESTS_FAIL'],
    ['every request fails, if it is the only one', { receivers: { 'i-1': receiver() } }, 'EVERY_REQUEST_FAILS'],
    [
      'every request fails, if the others are broken as well',
      { receivers: { 'i-1': receiver(), 'i-2': receiver() } },
      'EVERY_REQUEST_FAILS',
    ],
    [
      'every request fails, if the others are out of service',
      { receivers: { 'i-1': receiver(), 'i-2': plainReceiver() }, outOfService: new Set(['i-2']) },
      'EVERY_REQUEST_FAILS',
    ],
    [
      'that is out of service itself the next change fails',
      { receivers: { 'i-1': receiver(), 'i-2': plainReceiver() }, outOfService: new Set(['i-1']) },
      'NEXT_CHANGE_FAILS',
    ],
  ])('%s', (_desc, given, severity) => {
    expect(severityAtInstance(situation(given), 'i-1', isStrict, 'UNTIDY')).toBe(severity);
  });
});

test.each<[string, Given, boolean]>([
  ['a switched port fails', { loadBalancer: loadBalancer({ 80: ['proxyflip-proxy-protocol'] }) }, true],
  ['none does', {}, false],
  ['only one fails that no listener feeds', { loadBalancer: { ...off, listeners: [] } }, false],
  [
    'only one fails that was not switched',
    { loadBalancer: { ...off, listeners: [listener('TCP', 90, 'TCP', 90)] } },
    false,
  ],
])('an instance fails requests where %s', (_desc, given, fails) => {
  expect(failsAnywhere(situation(given))(receiver({ live: { 80: 'proxy', 81: 'proxy', 90: 'proxy' } }))).toBe(fails);
});
