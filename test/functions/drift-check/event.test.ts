/** What the check is invoked with: by a schedule, the runbook, a person, itself. */
import { expect, test } from '@jest/globals';
import { type CheckEvent, parseEvent } from '../../../functions/drift-check/event.ts';
import { NOTHING } from '../../../functions/drift-check/totals.ts';

const EVERYTHING: CheckEvent = { loadBalancerName: undefined, continuation: undefined, withinMs: undefined };
const continuation = {
  runId: 'run',
  startedAt: '2026-11-21T12:00:00.000Z',
  after: 'web',
  hop: 1,
  totals: NOTHING,
};

test.each<[string, unknown, Partial<CheckEvent>]>([
  ['a schedule', { 'detail-type': 'Scheduled Event', source: 'aws.events', detail: {}, region: 'x' }, {}],
  ['an empty object', {}, {}],
  ['nothing', null, {}],
  ['nothing at all', undefined, {}],
  [
    'the runbook, which has a value for everything',
    { loadBalancerName: '', withinSeconds: '270' },
    { withinMs: 270_000 },
  ],
  ['a name', { loadBalancerName: 'web-1' }, { loadBalancerName: 'web-1' }],
  ['the function itself', { continuation }, { continuation }],
])('%s', (_desc, event, is) => {
  expect(parseEvent(event)).toEqual({ ...EVERYTHING, ...is });
});

test.each<[string, unknown, string]>([
  [
    'a name that cannot be one',
    { loadBalancerName: 'a/b' },
    'loadBalancerName is "a/b": a load balancer’s name, or empty.',
  ],
  ['a time that is none', { withinSeconds: '0' }, 'withinSeconds is "0": a whole number of seconds.'],
  [
    'a time of more than four digits',
    { withinSeconds: '10000' },
    'withinSeconds is "10000": a whole number of seconds.',
  ],
  [
    'half of an event of EventBridge',
    { source: 'aws.events' },
    'source is "source": Invalid key: Expected never but received "source".',
  ],
  [
    'the other half',
    { 'detail-type': 'Scheduled Event' },
    'detail-type is "detail-type": Invalid key: Expected never but received "detail-type".',
  ],
  ['a text', 'web', 'the event is "web": Invalid type: Expected Object but received "web".'],
  [
    'a continuation without a part',
    { continuation: { ...continuation, hop: undefined } },
    'continuation.hop is missing: Invalid type: Expected number but received undefined.',
  ],
])('%s is refused', (_desc, event, message) => {
  expect(() => parseEvent(event)).toThrow(`ERR_INVALID_INPUT: ${message}`);
});
