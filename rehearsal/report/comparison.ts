/** Several runs side by side in a terminal, of 80 columns at least. */
import { FIGURES } from './figures.ts';
import type { RehearsalResult } from './result.ts';
import { costInWords } from './summary.ts';
import { cell, type Line, paint } from './terminal.ts';
import { ORDER_WORDS } from './words.ts';

const NAME_COLUMNS = 43;
const COLUMNS = 80;

export function comparison(results: readonly RehearsalResult[], options: { readonly colour: boolean }): string {
  const columns = Math.floor((COLUMNS - NAME_COLUMNS) / Math.max(results.length, 1));
  const right = (line: Line): Line => cell(line, columns, 'right');
  const costs = results.flatMap((result): Line[] => {
    const [first, ...rest] = costInWords(result);
    if (first === undefined) return [];
    return [[], [['bold', ORDER_WORDS[result.order].title]], ...[first, ...rest].map((line): Line => [line])];
  });
  return paint(
    [
      [...cell([], NAME_COLUMNS), ...results.flatMap(({ order }) => right([['bold', ORDER_WORDS[order].short]]))],
      ...FIGURES.map(({ name, value, isBad }) => [
        ...cell([name], NAME_COLUMNS),
        ...results.flatMap((result) => {
          // The share stands in the words below; here there is no room for it.
          const text = value(result).replace(/ \(.*/, '').replace('CREATE_COMPLETE', 'created');
          return right([isBad?.(result) ? ['red', text] : text]);
        }),
      ]),
      ...costs,
    ],
    options.colour,
  );
}
