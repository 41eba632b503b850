/** Lines of coloured text for a terminal, with widths that count what is seen and not the escape codes. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan';
export type Span = string | readonly [Style, string];
export type Line = readonly Span[];

/** ECMA-48 "select graphic rendition": what to set, and what takes it back. */
const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  cyan: [36, 39],
};

const textOf = (span: Span): string => (typeof span === 'string' ? span : span[1]);

/** Every character used here takes one column, so code points are columns. */
export function widthOf(line: Line): number {
  return line.reduce((sum, span) => sum + [...textOf(span)].length, 0);
}

/** At most `columns` wide; what is cut off is shown by `…`. */
export function clip(line: Line, columns: number): Line {
  if (widthOf(line) <= columns) return line;
  const clipped: Span[] = [];
  let left = columns - 1;
  for (const span of line) {
    const text = [...textOf(span)].slice(0, left).join('');
    clipped.push(typeof span === 'string' ? text : [span[0], text]);
    left -= [...text].length;
    if (left <= 0) break;
  }
  return [...clipped, '…'];
}

/** Exactly `columns` wide. */
export function cell(line: Line, columns: number, align: 'left' | 'right' = 'left'): Line {
  const clipped = clip(line, columns);
  const space = ' '.repeat(Math.max(0, columns - widthOf(clipped)));
  return align === 'left' ? [...clipped, space] : [space, ...clipped];
}

/** At blanks, into so many lines at most, none longer than `columns`; what is left over is shown by `…`. */
export function wrap(text: string, columns: number, most: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1) ?? '';
    if (last === '' || [...last].length + 1 + [...word].length <= columns)
      lines[lines.length - 1] = `${last} ${word}`.trim();
    else lines.push(word);
  }
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), lines.slice(most - 1).join(' ')].map((line) =>
    [...line].length <= columns ? line : `${[...line].slice(0, columns - 1).join('')}…`,
  );
}

/** Blocks of lines side by side, each as wide as it says. */
export function beside(blocks: readonly (readonly [readonly Line[], number])[]): Line[] {
  const height = Math.max(...blocks.map(([lines]) => lines.length));
  return Array.from({ length: height }, (_, row) =>
    blocks.flatMap(([lines, columns]) => cell(lines[row] ?? [], columns)),
  );
}

export function paint(lines: readonly Line[], colour: boolean): string {
  const spanText = (span: Span): string => {
    if (typeof span === 'string' || !colour) return textOf(span);
    const [on, off] = CODES[span[0]];
    return `\u001b[${on}m${span[1]}\u001b[${off}m`;
  };
  return lines.map((line) => line.map(spanText).join('').trimEnd()).join('\n');
}

const LEVELS = [...'▁▂▃▄▅▆▇█'];

/** The last `columns` values as bars; `·` for nothing. */
export function sparkline(values: readonly number[], columns: number, highest = Math.max(...values, 1)): string {
  const bars = values.slice(-columns).map((value) => {
    if (value <= 0) return '·';
    return LEVELS[Math.min(LEVELS.length - 1, Math.floor((value / highest) * (LEVELS.length - 0.5)))] ?? '█';
  });
  return bars.join('').padStart(Math.min(columns, Math.max(values.length, bars.length)), '·');
}
