/** What a page promises of a block of commands. */
import { expect } from '@jest/globals';
import type { BlockResult } from './shell-session.ts';

/** `…` in the promised line stands for anything. */
export function expectLastLine({ exitCode, stdout, stderr }: BlockResult, promised: string): void {
  const last = stdout.trimEnd().split('\n').at(-1) ?? '';
  const pattern = promised
    .split('…')
    .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
    .join('.*');
  // What is said beside it is no failure by itself (a tool may warn of this machine's settings), and is shown with one.
  expect({ last, exitCode, stderr }).toEqual({
    last: expect.stringMatching(new RegExp(`^${pattern}$`)),
    exitCode: 0,
    stderr: exitCode === 0 ? expect.any(String) : '',
  });
}
