/**
 * The commands of docs/migrate.md as they stand there, by the AWS CLI, against `serve`, behind the README's that switch on: the page goes on
 * from those. What it is under load is `rehearse -- migrate`.
 */
import { describe, expect, test } from '@jest/globals';
import { checkedCommands, readPage } from './markdown.ts';
import { pageTerminal } from './page-terminal.ts';

/** It names things, looks first, switches on. */
const SWITCHED_ON = checkedCommands(readPage('README.md')).slice(0, 3);
const BLOCKS = checkedCommands(readPage('docs/migrate.md'));

const terminal = pageTerminal(['--page-port', '18444']);

test('the page promises last lines', () => {
  expect(BLOCKS).toHaveLength(6);
});

describe('README.md, until it is on', () => terminal.run(SWITCHED_ON));
describe('docs/migrate.md', () => terminal.run(BLOCKS));
