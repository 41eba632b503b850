/**
 * The commands of docs/migrate.md as they stand there, by the AWS CLI, against `serve`, behind the README's that switch on: the page goes on
 * from those. What it is under load is `rehearse -- migrate`.
 */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openAwsShell } from './aws-shell.ts';
import { expectLastLine } from './last-line.ts';
import { checkedCommands, readPage } from './markdown.ts';
import { ServedRehearsal } from './served-rehearsal.ts';
import type { ShellSession } from './shell-session.ts';

const BLOCK_LIMIT_MS = 180_000;
/** It names things, looks first, switches on. */
const SWITCHED_ON = checkedCommands(readPage('README.md')).slice(0, 3);
const BLOCKS = checkedCommands(readPage('docs/migrate.md'));

let served: ServedRehearsal;
let shell: ShellSession;

beforeAll(async () => {
  served = await ServedRehearsal.start(['--page-port', '18444', '--policy-delay-ms', '100..500']);
  shell = await openAwsShell(served);
}, 150_000);

afterAll(async () => {
  await shell?.[Symbol.asyncDispose]();
  await served?.[Symbol.asyncDispose]();
}, 60_000);

test('the page promises last lines', () => {
  expect(BLOCKS).toHaveLength(6);
});

describe.each([
  { page: 'README.md, until it is on', blocks: SWITCHED_ON },
  { page: 'docs/migrate.md', blocks: BLOCKS },
])('$page', ({ blocks }) => {
  test.each(blocks)(
    '$name',
    async ({ commands, lastLine }) => {
      expectLastLine(await shell.run(commands, BLOCK_LIMIT_MS), lastLine);
    },
    BLOCK_LIMIT_MS,
  );
});
