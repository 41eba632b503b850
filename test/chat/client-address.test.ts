import { describe, expect, test } from '@jest/globals';
import { clientFrom, limitKey } from '../../chat/client-address.ts';

const nginx = { 'x-real-ip': '198.51.100.7', 'x-client-address-trust': 'yes', 'x-forwarded-proto': 'https' };

describe('clientFrom', () => {
  test.each([
    ['proxy: what nginx says', '127.0.0.1', nginx, ['198.51.100.7', true, 'https']],
    [
      'plain: the node, not trusted',
      '127.0.0.1',
      { ...nginx, 'x-client-address-trust': 'no' },
      ['198.51.100.7', false, 'https'],
    ],
    ['claimed: no address at all', '127.0.0.1', { 'x-client-address-trust': 'no' }, [null, false, null]],
    ['asked on the machine itself', '127.0.0.1', {}, [null, false, null]],
    ['IPv4 mapped into IPv6, as a dual socket has it', '::ffff:127.0.0.1', nginx, ['198.51.100.7', true, 'https']],
    ['IPv6 loopback', '::1', { ...nginx, 'x-real-ip': '2001:db8::7' }, ['2001:db8::7', true, 'https']],
    [
      'a peer that is not loopback: its headers are its own words',
      '203.0.113.66',
      nginx,
      ['203.0.113.66', false, null],
    ],
    ['X-Forwarded-For is never read', '127.0.0.1', { 'x-forwarded-for': '203.0.113.66' }, [null, false, null]],
    ['trust without an address is none', '127.0.0.1', { 'x-client-address-trust': 'yes' }, [null, false, null]],
    ['not an address', '127.0.0.1', { ...nginx, 'x-real-ip': 'unix:' }, [null, false, 'https']],
    [
      'two addresses in one header',
      '127.0.0.1',
      { ...nginx, 'x-real-ip': '198.51.100.7, 203.0.113.66' },
      [null, false, 'https'],
    ],
    ['trust twice', '127.0.0.1', { ...nginx, 'x-client-address-trust': 'no, yes' }, ['198.51.100.7', false, 'https']],
    [
      'another word for yes',
      '127.0.0.1',
      { ...nginx, 'x-client-address-trust': 'true' },
      ['198.51.100.7', false, 'https'],
    ],
    ['another scheme', '127.0.0.1', { ...nginx, 'x-forwarded-proto': 'javascript' }, ['198.51.100.7', true, null]],
  ])('%s', (_desc, peer, headers, [address, trusted, scheme]) => {
    expect(clientFrom(peer, headers)).toEqual({ address, trusted, scheme });
  });
});

describe('limitKey', () => {
  test.each([
    ['IPv4', '198.51.100.7', '198.51.100.7'],
    ['one /64, however written', '2001:db8:0:1::1', '2001:db8:0:1::/64'],
    ['the same /64', '2001:0db8:0000:0001:ffff:ffff:ffff:ffff', '2001:db8:0:1::/64'],
    ['the next /64', '2001:db8:0:2::1', '2001:db8:0:2::/64'],
    ['zeros in front', '::1', '0:0:0:0::/64'],
    ['zeros behind', '2001:db8::', '2001:db8:0:0::/64'],
    ['IPv4 mapped counts as IPv4', '::ffff:198.51.100.7', '198.51.100.7'],
  ])('%s', (_desc, address, key) => {
    expect(limitKey({ address, trusted: true, scheme: null })).toBe(key);
  });

  test('nothing is held against an address that is not trusted', () => {
    expect(limitKey({ address: '198.51.100.7', trusted: false, scheme: null })).toBeNull();
  });
});
