/** What is to be mended, by the event that woke the function. */
import { expect, test } from '@jest/globals';
import { type Job, parseJob } from '../../../functions/drift-remediation/job.ts';

const FOUND_AT = '2026-11-21T11:59:00.000Z';
const drift = (detail: object) => ({
  'detail-type': 'proxyflip drift',
  source: 'proxyflip',
  detail: { loadBalancer: 'web', at: FOUND_AT, findings: [], ...detail },
});
const goesOn = (detail: object) => ({
  'detail-type': 'proxyflip remediation goes on',
  source: 'proxyflip',
  detail: { loadBalancer: 'web', kinds: ['nginx-down'], foundAt: FOUND_AT, hop: 1, ...detail },
});
const kinds = (...names: string[]) => ({ findings: names.map((kind) => ({ kind })) });

const begun: Job = { loadBalancer: 'web', kinds: [], foundAt: FOUND_AT, executionId: undefined, hop: 0 };

test.each<[string, object, Job]>([
  [
    'what the runbook mends, each kind once',
    drift(kinds('policy-missing', 'policy-foreign', 'nginx-down', 'policy-missing', 'something-new', 'toString')),
    { ...begun, kinds: ['policy-missing', 'nginx-down'] },
  ],
  ['nothing, where there is none', drift({}), begun],
  ['of a check of an older version, which said no time', drift({ at: undefined }), { ...begun, foundAt: '' }],
  [
    'for a run that has begun',
    goesOn({ executionId: 'run-2' }),
    { ...begun, kinds: ['nginx-down'], executionId: 'run-2', hop: 1 },
  ],
  ['for one that has not', goesOn({ hop: 7 }), { ...begun, kinds: ['nginx-down'], hop: 7 }],
  [
    'of another version, which knew other kinds and said no time',
    goesOn({ kinds: ['something-new', 'nginx-down', 'toString'], foundAt: undefined }),
    { ...begun, kinds: ['nginx-down'], foundAt: '', hop: 1 },
  ],
])('%s', (_desc, event, job) => {
  expect(parseJob(event)).toEqual(job);
});

test.each<[string, unknown, string]>([
  [
    'another event',
    { 'detail-type': 'something else', detail: {} },
    'detail-type is "something else": Invalid type: Expected ("proxyflip drift" | "proxyflip remediation goes on") but received "something else".',
  ],
  [
    'half of one',
    goesOn({ hop: undefined }),
    'detail.hop is missing: Invalid type: Expected number but received undefined.',
  ],
  ['a text', 'web', 'the event is "web": Invalid type: Expected Object but received "web".'],
  ['nothing', undefined, 'the event is missing: Invalid type: Expected Object but received undefined.'],
])('%s is refused', (_desc, event, message) => {
  expect(() => parseJob(event)).toThrow(`ERR_INVALID_INPUT: ${message}`);
});
