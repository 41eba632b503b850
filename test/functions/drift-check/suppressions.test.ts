/** What somebody keeps back, where and until when. */
import { describe, expect, test } from '@jest/globals';
import { suppress } from '../../../functions/drift-check/suppressions.ts';
import { draft } from './findings.ts';
import { NOW } from './situations.ts';

const at80 = draft({ where: 'port 80' });
const at81 = draft({ where: 'port 81' });
const down = draft({ kind: 'nginx-down', where: 'i-1' });
const all = [at80, at81, down];

const entry = (given: object = {}) => ({
  kind: 'policy-missing',
  where: 'port 81',
  reason: 'moved tomorrow',
  until: '2026-11-22',
  ...given,
});
const keepBack = (...entries: object[]) => suppress('web', all, JSON.stringify(entries), NOW);

test('without a parameter everything is told', () => {
  expect(suppress('web', all, undefined, NOW)).toEqual({ told: all, suppressed: 0 });
});

test.each<[string, object[], typeof all]>([
  ['the kind at the place', [entry()], [at80, down]],
  ['the kind anywhere', [entry({ where: '*' })], [down]],
  ['two of them', [entry(), entry({ kind: 'nginx-down', where: 'i-1' })], [at80]],
  ['nothing: the kind is at another place', [entry({ where: 'port 8' })], all],
  ['nothing: another kind is at the place', [entry({ kind: 'nginx-down' })], all],
  ['nothing: another kind is anywhere', [entry({ kind: 'haproxy-down', where: '*' })], all],
  ['nothing: its day has come', [entry({ until: '2026-11-21' })], all],
  ['nothing: its minute has come', [entry({ until: '2026-11-21T12:00:00Z' })], all],
  ['the kind, to the last second', [entry({ until: '2026-11-21T12:00:01Z' })], [at80, down]],
  ['nothing: it is empty', [], all],
])('keeps back %s', (_desc, entries, told) => {
  expect(keepBack(...entries)).toEqual({ told, suppressed: all.length - told.length });
});

describe('what cannot be read keeps nothing back and is told', () => {
  test.each<[string, string, string]>([
    ['no JSON', 'soon', 'it is not JSON'],
    ['no list', '{}', 'Invalid type: Expected Array but received Object'],
    [
      'no end',
      JSON.stringify([entry({ until: undefined })]),
      '0.until: Invalid key: Expected "until" but received undefined',
    ],
    ['no day', JSON.stringify([entry(), entry({ until: 'whenever' })]), '1.until: a date such as 2027-01-31'],
    ['no reason', JSON.stringify([entry({ reason: '' })]), '0.reason: Invalid length: Expected >=1 but received 0'],
    [
      'a word too many',
      JSON.stringify([entry({ port: 81 })]),
      '0.port: Invalid key: Expected never but received "port"',
    ],
  ])('%s', (_desc, text, observed) => {
    expect(suppress('web', all, text, NOW)).toEqual({
      told: [
        ...all,
        {
          kind: 'suppression-unreadable',
          severity: 'UNTIDY',
          where: 'load balancer',
          expected: '/proxyflip/drift/suppressions/web holds [{"kind":…,"where":…,"reason":…,"until":…}]',
          observed,
          began: 0,
          cause: '',
          mend: 'aws ssm delete-parameter --name /proxyflip/drift/suppressions/web',
        },
      ],
      suppressed: 0,
    });
  });
});
