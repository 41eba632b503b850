/** What a function wrote: the newest lines in memory, all of them in a file of the run. */
import { appendFileSync, mkdirSync } from 'node:fs';
import path from 'node:path';

export interface FunctionLog {
  readonly file: string;
  append(line: string): void;
  /** The newest lines, oldest first. */
  lines(): readonly string[];
}

const KEPT_LINES = 5_000;

export function openFunctionLog(file: string, onLine: (line: string) => void): FunctionLog {
  mkdirSync(path.dirname(file), { recursive: true });
  let kept: string[] = [];
  return {
    file,
    append(line) {
      kept.push(line);
      // Cut rarely: half of the array at once.
      if (kept.length > 2 * KEPT_LINES) kept = kept.slice(-KEPT_LINES);
      // Synchronous: after a crash of the rehearsal the last line is the one that matters.
      appendFileSync(file, `${line}\n`);
      onLine(line);
    },
    lines: () => kept.slice(-KEPT_LINES),
  };
}
