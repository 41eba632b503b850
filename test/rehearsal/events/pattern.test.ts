import { describe, expect, test } from '@jest/globals';
import { readPattern } from '../../../rehearsal/events/pattern.ts';

const EVENT = {
  source: 'proxyflip',
  'detail-type': 'proxyflip drift',
  resources: ['arn:one', 'arn:two'],
  detail: {
    loadBalancer: 'chat-1',
    status: 'MODIFIED',
    before: null,
    count: 5,
    tags: ['a', 'b'],
    findings: [{ kind: 'x' }],
  },
};

describe('matches', () => {
  test.each<[string, object, boolean]>([
    ['one of several values', { source: ['other', 'proxyflip'] }, true],
    ['a value that differs', { source: ['other'] }, false],
    ['all of its members', { source: ['proxyflip'], detail: { status: ['IN_SYNC'] } }, false],
    ['a list that has the value', { resources: ['arn:two'] }, true],
    ['nested', { detail: { status: ['MODIFIED', 'DELETED'] } }, true],
    ['a member that is not there', { detail: { missing: ['x'] } }, false],
    ['null', { detail: { before: [null] } }, true],
    ['a number', { detail: { count: [5] } }, true],
    ['a number is no text', { detail: { count: ['5'] } }, false],
    ['prefix', { detail: { loadBalancer: [{ prefix: 'chat' }] } }, true],
    ['suffix', { detail: { loadBalancer: [{ suffix: '-2' }] } }, false],
    ['wildcard', { detail: { loadBalancer: [{ wildcard: 'c*-1' }] } }, true],
    ['equals-ignore-case', { detail: { status: [{ 'equals-ignore-case': 'modified' }] } }, true],
    ['anything-but', { detail: { status: [{ 'anything-but': ['IN_SYNC', 'NOT_CHECKED'] }] } }, true],
    ['anything-but of what it is', { detail: { status: [{ 'anything-but': 'MODIFIED' }] } }, false],
    ['anything-but a prefix', { detail: { loadBalancer: [{ 'anything-but': { prefix: 'chat' } }] } }, false],
    ['exists', { detail: { status: [{ exists: true }] } }, true],
    ['exists not', { detail: { missing: [{ exists: false }] } }, true],
    ['numeric', { detail: { count: [{ numeric: ['>', 0, '<=', 5] }] } }, true],
    ['numeric, outside', { detail: { count: [{ numeric: ['>', 5] }] } }, false],
    ['$or', { detail: { $or: [{ status: ['IN_SYNC'] }, { count: [5] }] } }, true],
  ])('%s', (_what, pattern, expected) => expect(readPattern(JSON.stringify(pattern))(EVENT)).toBe(expected));
});

test.each([
  ['no JSON', 'x'],
  ['empty', '{}'],
  ['a value that is no list', '{"source":"proxyflip"}'],
  ['an empty list', '{"source":[]}'],
  ['an operator that there is not', '{"source":[{"contains":"x"}]}'],
  ['two operators at once', '{"source":[{"prefix":"x","suffix":"y"}]}'],
  ['$or of one', '{"$or":[{"source":["x"]}]}'],
])('is refused: %s', (_what, text) => {
  expect(() => readPattern(text)).toThrow(expect.objectContaining({ code: 'InvalidEventPatternException' }));
});
