import { expect, test } from '@jest/globals';
import { readSchedule } from '../../../rehearsal/events/schedule.ts';

const AFTER = '2026-11-21T08:07:30.000Z'; // a Saturday

test.each([
  ['rate(1 minute)', '2026-11-21T08:08:30.000Z'],
  ['rate(15 minutes)', '2026-11-21T08:22:30.000Z'],
  ['rate(2 hours)', '2026-11-21T10:07:30.000Z'],
  ['rate(1 day)', '2026-11-22T08:07:30.000Z'],
  ['cron(0/15 * * * ? *)', '2026-11-21T08:15:00.000Z'],
  ['cron(*/15 * * * ? *)', '2026-11-21T08:15:00.000Z'],
  ['cron(0 8 * * ? *)', '2026-11-22T08:00:00.000Z'],
  ['cron(30 9,18 ? * MON-FRI *)', '2026-11-23T09:30:00.000Z'],
  ['cron(0 0 1 JAN ? *)', '2027-01-01T00:00:00.000Z'],
  ['cron(0 0 29 2 ? *)', '2028-02-29T00:00:00.000Z'],
])('%s is next due at %s', (expression, expected) => {
  expect(new Date(readSchedule(expression)(Date.parse(AFTER))).toISOString()).toBe(expected);
});

test('a day that never comes', () => {
  expect(readSchedule('cron(0 0 30 2 ? *)')(Date.parse(AFTER))).toBe(Number.POSITIVE_INFINITY);
});

test.each([
  'rate(1 minutes)',
  'rate(5 minute)',
  'rate(0 minutes)',
  'rate(30 seconds)',
  'cron(* * * * * *)',
  'cron(60 * * * ? *)',
  'cron(0 0 L * ? *)',
  'cron(0 0 * * ?)',
  'every 5 minutes',
])('%s is refused', (expression) => {
  expect(() => readSchedule(expression)).toThrow(expect.objectContaining({ code: 'ValidationException' }));
});
