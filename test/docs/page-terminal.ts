/** A served rehearsal and a terminal at it, for the tests of one file; and a page's blocks of commands as tests. */
import { afterAll, beforeAll, test } from '@jest/globals';
import { openAwsShell } from './aws-shell.ts';
import { expectLastLine } from './last-line.ts';
import type { CheckedCommand } from './markdown.ts';
import { ServedRehearsal } from './served-rehearsal.ts';
import type { ShellSession } from './shell-session.ts';

const BLOCK_LIMIT_MS = 180_000;

export interface PageTerminal {
  /** Once the tests have begun. */
  readonly served: ServedRehearsal;
  readonly shell: ShellSession;
  /**
   * Each block is a test: its last line is what the page promises.
   * @param limitMs  of one block
   */
  run(blocks: readonly CheckedCommand[], limitMs?: number): void;
}

/** @param serve  options of `npm run rehearse -- serve` */
export function pageTerminal(serve: readonly string[]): PageTerminal {
  let served: ServedRehearsal;
  let shell: ShellSession;
  beforeAll(async () => {
    served = await ServedRehearsal.start([...serve, '--policy-delay-ms', '100..500']);
    shell = await openAwsShell(served);
  }, 150_000);
  afterAll(async () => {
    await shell?.[Symbol.asyncDispose]();
    await served?.[Symbol.asyncDispose]();
  }, 60_000);
  return {
    get served() {
      return served;
    },
    get shell() {
      return shell;
    },
    run(blocks, limitMs = BLOCK_LIMIT_MS) {
      test.each(blocks)(
        '$name',
        async ({ commands, lastLine }) => {
          expectLastLine(await shell.run(commands, limitMs), lastLine);
        },
        limitMs,
      );
    },
  };
}
