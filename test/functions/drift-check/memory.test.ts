/** What is remembered from one check to the next, and when that is news. */
import { describe, expect, test } from '@jest/globals';
import {
  hasKind,
  type Memory,
  memoryName,
  parseMemory,
  recall,
  rememberedNames,
} from '../../../functions/drift-check/memory.ts';
import type { Draft } from '../../../functions/drift-check/situation.ts';
import { draft } from './findings.ts';
import { NOW } from './situations.ts';

const LATER = NOW + 900_000;
const at = (ms: number) => new Date(ms).toISOString();

/** What the check before would have remembered of these. */
function remembered(status: Memory['status'], ...drafts: Draft[]): Memory {
  const { change } = recall(undefined, status, drafts, NOW);
  if (change === undefined) throw new Error('there is nothing to remember');
  return change.next;
}

const isTold = (previous: Memory | undefined, status: Memory['status'], ...drafts: Draft[]) =>
  recall(previous, status, drafts, LATER).change !== undefined;

const missing = draft();
const down = draft({ kind: 'nginx-down', where: 'i-1', severity: 'SOME_REQUESTS_FAIL' });

describe('recall', () => {
  test('of what is seen for the first time', () => {
    const { began: _began, ...rest } = missing;
    expect(recall(undefined, 'MODIFIED', [missing], NOW)).toEqual({
      findings: [
        {
          ...rest,
          since: '2026-11-21T12:00:00.000Z',
          text: 'Every request fails there now: policy-missing at port 81 since 2026-11-21T12:00:00.000Z at the latest. Expected: a policy. Observed: no policy.',
        },
      ],
      change: {
        before: 'IN_SYNC',
        next: {
          version: 1,
          status: 'MODIFIED',
          at: '2026-11-21T12:00:00.000Z',
          worst: 'EVERY_REQUEST_FAILS',
          digest: expect.stringMatching(/^[0-9a-f]{16}$/),
          since: { 'policy-missing port 81': '2026-11-21T12:00:00.000Z' },
        },
      },
    });
  });

  test('of what is over', () => {
    expect(recall(remembered('MODIFIED', missing), 'IN_SYNC', [], LATER)).toEqual({
      findings: [],
      change: {
        before: 'MODIFIED',
        next: { version: 1, status: 'IN_SYNC', at: at(LATER), digest: expect.any(String), since: {} },
      },
    });
  });

  test.each<[string, Draft[], number, string]>([
    ['the check that saw it first, though it began unseen', [missing], 0, at(NOW)],
    ['the time that the thing itself tells', [missing], NOW - 60_000, at(NOW - 60_000)],
    ['the check that saw it first, where the thing tells of a later time', [missing], NOW + 60_000, at(NOW)],
    ['now, of another thing', [down], 0, at(LATER)],
    ['now, where nothing was wrong', [], 0, at(LATER)],
  ])('it is so since %s', (_desc, before, began, since) => {
    const previous = before.length === 0 ? undefined : remembered('MODIFIED', ...before);
    const { findings } = recall(previous, 'MODIFIED', [draft({ began })], LATER);

    expect(findings.map((each) => each.since)).toEqual([since]);
  });

  test('the worst comes first; then by kind, then by place as people count', () => {
    const found = [
      draft({ kind: 'nginx-down', where: 'i-1', severity: 'UNTIDY' }),
      draft({ where: 'port 800' }),
      draft({ kind: 'listener-added', where: 'port 80', severity: 'SOME_REQUESTS_FAIL' }),
      draft({ where: 'port 90' }),
      draft({ kind: 'health-check', where: 'load balancer' }),
    ];
    const { findings, change } = recall(undefined, 'MODIFIED', found, NOW);

    expect(findings.map(({ kind, where }) => `${kind} ${where}`)).toEqual([
      'health-check load balancer',
      'policy-missing port 90',
      'policy-missing port 800',
      'listener-added port 80',
      'nginx-down i-1',
    ]);
    expect(change?.next.worst).toBe('EVERY_REQUEST_FAILS');
  });
});

describe('what is told', () => {
  const both = remembered('MODIFIED', missing, down);
  const milder = draft({ severity: 'UNTIDY' });

  test.each<[string, Memory | undefined, Memory['status'], Draft[]]>([
    ['that something is found', undefined, 'MODIFIED', [missing]],
    ['more of it', remembered('MODIFIED', missing), 'MODIFIED', [missing, down]],
    ['less of it', both, 'MODIFIED', [missing]],
    ['the same at another place', remembered('MODIFIED', missing), 'MODIFIED', [draft({ where: 'port 80' })]],
    ['that it means worse', remembered('MODIFIED', milder), 'MODIFIED', [missing]],
    ['another status of the same findings', remembered('UNKNOWN', missing), 'MODIFIED', [missing]],
    [
      'what an older version remembered without what it means',
      { ...both, worst: undefined },
      'MODIFIED',
      [missing, down],
    ],
  ])('is %s', (_desc, previous, status, drafts) => {
    expect(isTold(previous, status, ...drafts)).toBe(true);
  });

  test.each<[string, Memory | undefined, Memory['status'], Draft[]]>([
    ['that all is well, as it was', undefined, 'IN_SYNC', []],
    ['what was told before', both, 'MODIFIED', [missing, down]],
    ['that it is milder, in whatever order that puts it', both, 'MODIFIED', [milder, down]],
    ['that it has the time it began', both, 'MODIFIED', [draft({ began: NOW - 1000 }), down]],
  ])('is not %s', (_desc, previous, status, drafts) => {
    expect(isTold(previous, status, ...drafts)).toBe(false);
  });
});

test.each<[string, string | undefined]>([
  ['is not there', undefined],
  ['is no JSON', 'in sync'],
  ['is of another version', JSON.stringify({ ...remembered('MODIFIED', missing), version: 2 })],
  ['has a status that nobody knows', JSON.stringify({ ...remembered('MODIFIED', missing), status: 'GOOD' })],
])('a memory that %s is none', (_desc, text) => {
  expect(parseMemory(text)).toBeUndefined();
});

test('a memory is read as it was written', () => {
  const memory = remembered('MODIFIED', missing);
  expect(parseMemory(JSON.stringify(memory))).toEqual(memory);
});

test('who was not in sync is known by name', () => {
  const memories = {
    web: JSON.stringify(remembered('MODIFIED', missing)),
    gone: JSON.stringify(remembered('DELETED', missing)),
    well: JSON.stringify({ ...remembered('MODIFIED', missing), status: 'IN_SYNC' }),
    strange: 'MODIFIED',
  };
  const parameters = new Map(Object.entries(memories).map(([name, text]) => [memoryName(name), text]));
  parameters.set('/proxyflip/drift/suppressions/else', memories.web);

  expect(memoryName('web')).toBe('/proxyflip/drift/status/web');
  expect(rememberedNames(parameters)).toEqual(['web', 'gone']);
});

test.each<[readonly Draft['kind'][], boolean]>([
  [['policy-missing'], true],
  [['nginx-down', 'policy-missing'], true],
  [['nginx-down'], false],
  [[], false],
])('whether one of %j is remembered', (kinds, is) => {
  expect(hasKind(remembered('MODIFIED', missing, draft({ kind: 'health-check' })), kinds)).toBe(is);
});
