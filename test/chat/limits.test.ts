import { expect, test } from '@jest/globals';
import { readConfig } from '../../chat/config.ts';
import { AddressLimits, Bucket } from '../../chat/limits.ts';

test('a bucket gives ten seconds at once, then its rate, and says how long to wait', () => {
  const bucket = new Bucket(2, 0);
  const taken = Array.from({ length: 20 }, () => bucket.take(0));
  expect(taken).toEqual(Array(20).fill(0));
  expect(bucket.take(0)).toBe(500);
  expect(bucket.take(250)).toBe(250);
  expect(bucket.take(500)).toBe(0);
  expect(bucket.take(500)).toBe(500);
});

test('a clock that jumps back gives nothing away and takes nothing', () => {
  const bucket = new Bucket(1, 100_000);
  for (let n = 0; n < 10; n += 1) bucket.take(100_000);
  expect(bucket.take(0)).toBe(1000);
  expect(bucket.take(1000)).toBe(0);
});

test('a rate of 0 is no limit', () => {
  const bucket = new Bucket(0, 0);
  expect(Array.from({ length: 1000 }, () => bucket.take(0)).every((wait) => wait === 0)).toBe(true);
});

test('an address may have so many connections open, gets them back, and others are not touched', () => {
  const limits = new AddressLimits(readConfig({ CHAT_ADDRESS_OPEN_CONNECTIONS: '2' }), () => 0);
  expect([1, 2, 3].map(() => limits.admit('198.51.100.7'))).toEqual([null, null, 'too-many-connections']);
  expect(limits.admit('203.0.113.9')).toBeNull();
  limits.release('198.51.100.7');
  expect(limits.admit('198.51.100.7')).toBeNull();
});

test('an address may open connections only so fast', () => {
  let now = 0;
  const limits = new AddressLimits(readConfig({ CHAT_ADDRESS_CONNECTIONS_PER_SECOND: '1' }), () => now);
  const attempts = Array.from({ length: 11 }, () => limits.admit('198.51.100.7'));
  expect(attempts).toEqual([...Array(10).fill(null), 'connection-rate-limited']);
  now = 1000;
  expect(limits.admit('198.51.100.7')).toBeNull();
});

test('without a trusted address nobody is refused and nothing is kept', () => {
  const limits = new AddressLimits(
    readConfig({ CHAT_ADDRESS_OPEN_CONNECTIONS: '1', CHAT_ADDRESS_MESSAGES_PER_SECOND: '1' }),
    () => 0,
  );
  expect(Array.from({ length: 100 }, () => limits.admit(null)).filter((why) => why !== null)).toEqual([]);
  expect(Array.from({ length: 100 }, () => limits.message(null)).filter((wait) => wait > 0)).toEqual([]);
  expect(limits.size).toBe(0);
});

test('addresses that have gone quiet are forgotten, those with something open are not', () => {
  let now = 0;
  const limits = new AddressLimits(readConfig({}), () => now);
  for (let n = 0; n < 1000; n += 1) limits.admit(`198.51.${n >> 8}.${n & 255}`);
  for (let n = 1; n < 1000; n += 1) limits.release(`198.51.${n >> 8}.${n & 255}`);
  limits.sweep();
  expect(limits.size).toBe(1000);
  now = 60_000;
  limits.sweep();
  expect(limits.size).toBe(1);
});
