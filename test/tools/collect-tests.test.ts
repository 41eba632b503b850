import { expect, test } from '@jest/globals';
import { collectTests } from '../../tools/mutation/collect-tests.mjs';

test('a file’s tests are a list that can be run in any part, each between its own before and after', async () => {
  const said: string[] = [];
  const tests = collectTests('a.test.ts', ({ describe, test: define, beforeEach, afterEach }) => {
    beforeEach(() => said.push('before all'));
    define('first', () => said.push('first'));
    describe('group', () => {
      beforeEach(() => said.push('before group'));
      afterEach(() => said.push('after group'));
      define.each([
        ['one', 1],
        ['two', 2],
      ])('%s', (word: string, value: number) => said.push(`${word} ${value}`));
      define.each([{ desc: 'three' }])('of $desc', ({ desc }: { desc: string }) => {
        throw new Error(desc);
      });
    });
    define('first', async () => said.push('again'));
  });

  expect(tests.map(({ id }) => id)).toEqual([
    'a.test.ts first',
    'a.test.ts group › one',
    'a.test.ts group › two',
    'a.test.ts group › of three',
    'a.test.ts first #1',
  ]);
  await tests[2]?.run();
  await expect(tests[3]?.run()).rejects.toThrow('three');
  await tests[4]?.run();
  expect(said).toEqual([
    ...['before all', 'before group', 'two 2', 'after group'],
    ...['before all', 'before group', 'after group'],
    ...['before all', 'again'],
  ]);
});
