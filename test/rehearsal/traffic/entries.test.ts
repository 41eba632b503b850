import { describe, expect, test } from '@jest/globals';
import { entryAt } from '../../../rehearsal/traffic/entries.ts';

const entries = (...weights: number[]) =>
  weights.map((weight, index) => ({ kind: 'classic' as const, addresses: [`10.0.101.${index}`], weight }));

describe('weighted entries', () => {
  test.each([
    { weights: [1] },
    { weights: [0, 255] },
    { weights: [255, 0] },
    { weights: [90, 10] },
    { weights: [1, 255] },
    { weights: [1, 1, 2] },
  ])('$weights: each gets its share, within every hundred', ({ weights }) => {
    const all = entries(...weights);
    const sum = weights.reduce((left, right) => left + right);
    for (const from of [0, 100, 12_345]) {
      const got = Array.from({ length: 100 }, (_, index) => entryAt(all, from + index));
      const counts = all.map((entry) => got.filter((each) => each === entry).length);
      for (const [index, count] of counts.entries()) {
        expect(Math.abs(count - (100 * (weights[index] ?? 0)) / sum)).toBeLessThanOrEqual(2);
      }
    }
  });

  test('that have no weight lead nowhere', () => {
    expect(() => entryAt(entries(0, 0), 0)).toThrow('leads nowhere');
    expect(() => entryAt([], 0)).toThrow('leads nowhere');
  });
});
