/** One list of assumptions: the README, the rehearsal's tables and the contract tests say the same of each id. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { pages, ROOT, readPage, tableOf } from './markdown.ts';

const ASSUMPTIONS = tableOf(readPage('docs/assumptions.md'), 'Assumptions');
const IDS = ASSUMPTIONS.map(([id = '']) => id);
const ID = /\bA\d{1,2}\b/g;

/** `api` → the ids that its file asks about. */
const asked = new Map(
  readdirSync(path.join(ROOT, 'test/contract'))
    .filter((file) => file.endsWith('.contract.test.ts'))
    .map((file) => {
      const ids = [...readPage(`test/contract/${file}`).matchAll(/\bask\(\s*'(A\d+)'/g)].map(([, id = '']) => id);
      return [file.replace('.contract.test.ts', ''), [...new Set(ids)].sort()];
    }),
);
/** The levels that a row says settle it. */
const levelsOf = ([, , , settledBy = '']: readonly string[]): string[] =>
  [...settledBy.matchAll(/`(\w+)`/g)].map(([, level = '']) => level);

test('ids are counted from A1, without a gap', () => {
  expect(IDS.length).toBeGreaterThan(10);
  expect(IDS).toEqual(IDS.map((_, index) => `A${index + 1}`));
});

test('the README says the same of each that something depends on', () => {
  const matters = ASSUMPTIONS.filter(([, , dependent = '']) => !dependent.startsWith('nothing:'));
  expect(matters.length).toBeGreaterThan(8);
  expect(tableOf(readPage('README.md'), 'Limits')).toEqual(matters.map((row) => row.slice(0, 3)));
});

test('the rehearsal says of each once where it is rehearsed', () => {
  const rows = tableOf(readPage('rehearsal/README.md'), 'The assumptions, where they are rehearsed');
  const ids = rows.flatMap(([cell = '']) => cell.match(ID) ?? []);
  expect(ids).toEqual(IDS);
});

test('no page names an id that is not in the list', () => {
  const named = pages().flatMap((page) => (readPage(page).match(ID) ?? []).map((id) => ({ page, id })));
  expect(named.length).toBeGreaterThan(IDS.length);
  expect(named.filter(({ id }) => !IDS.includes(id))).toEqual([]);
});

describe('the contract tests', () => {
  test('are of the levels that the page describes', () => {
    const levels = tableOf(readPage('docs/assumptions.md'), 'Asking AWS').map(
      ([level = '']) => level.match(/\w+/)?.[0],
    );
    expect([...asked.keys()].sort()).toEqual([...levels].sort());
  });

  test.each([...asked])('%s: asks about what the list says it settles', (level, ids) => {
    const promised = ASSUMPTIONS.filter((row) => levelsOf(row).includes(level)).map(([id = '']) => id);
    expect(promised.length).toBeGreaterThan(1);
    expect([...ids].sort()).toEqual(promised.sort());
  });

  test('what none of them asks says how else it is settled', () => {
    const silent = ASSUMPTIONS.filter((row) => levelsOf(row).length === 0);
    expect(silent.filter(([, , , settledBy = '']) => settledBy.length < 10)).toEqual([]);
  });
});
