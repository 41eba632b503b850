/** The project's pages as data: their tables, their code blocks, their links. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export const readPage = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Every page of the checkout, also those that are not committed yet. */
export function pages(): string[] {
  const { stdout } = spawnSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return stdout.split('\n').filter((file) => file !== '');
}

export interface Section {
  readonly title: string;
  readonly text: string;
}

/** Headings of any level begin a section; what looks like one inside a code block does not. */
export function sections(page: string): Section[] {
  const found: { title: string; lines: string[] }[] = [{ title: '', lines: [] }];
  let inCode = false;
  for (const line of page.split('\n')) {
    if (line.startsWith('```')) inCode = !inCode;
    const [, title] = (inCode ? null : /^#{1,6} (.+)$/.exec(line)) ?? [];
    if (title !== undefined) found.push({ title, lines: [] });
    else found.at(-1)?.lines.push(line);
  }
  return found.map(({ title, lines }) => ({ title, text: lines.join('\n') }));
}

/** As GitHub makes them: lower case, no punctuation, hyphens for spaces. */
export const anchorOf = (title: string): string =>
  title
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, '')
    .replaceAll(' ', '-');

/** The rows of the first table of a section, without its head; cells as they are written. */
export function tableOf(page: string, title: string): string[][] {
  const section = sections(page).find((each) => each.title === title);
  const rows = (section?.text ?? '').split('\n').filter((line) => line.startsWith('|'));
  return rows.slice(2).map((row) =>
    row
      .slice(1, -1)
      .split(/(?<!\\)\|/)
      .map((cell) => cell.trim()),
  );
}

/** `name` → name; anything else as it is. */
export const bare = (cell: string): string => /^`([^`]*)`$/.exec(cell)?.[1] ?? cell;

export interface CommandBlock {
  /** The section that it stands in, and its first line. */
  readonly name: string;
  readonly commands: string;
  /** What the last line has to be; `…` stands for anything. Undefined: the page promises none. */
  readonly lastLine: string | undefined;
}

export type CheckedCommand = CommandBlock & { readonly lastLine: string };

/** Every block of commands for a shell. */
export function commandBlocks(page: string): CommandBlock[] {
  return sections(page).flatMap(({ title, text }) =>
    [...text.matchAll(/^```(?:sh|bash|shell|console)\n([\s\S]*?)^```$(?:\n\nLast line: `([^`]+)`)?/gm)].map((match) => {
      const commands = match[1] ?? '';
      return { name: `${title}: ${commands.split('\n')[0]}`, commands, lastLine: match[2] };
    }),
  );
}

/** Blocks of commands that the page promises a last line for. */
export const checkedCommands = (page: string): CheckedCommand[] =>
  commandBlocks(page).filter((block): block is CheckedCommand => block.lastLine !== undefined);
