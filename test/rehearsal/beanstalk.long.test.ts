/** Elastic Beanstalk: the commands of its page, and the deployments that it tells of, under load. */
import { afterAll, describe, expect, test } from '@jest/globals';
import { expectLastLine } from '../docs/last-line.ts';
import { checkedCommands, ROOT, readPage } from '../docs/markdown.ts';
import { ShellSession } from '../docs/shell-session.ts';
import { runCli } from './run-cli.ts';

const shell = new ShellSession(ROOT, process.env);

afterAll(() => shell[Symbol.asyncDispose]());

describe('docs/beanstalk.md', () => {
  test.each(checkedCommands(readPage('docs/beanstalk.md')))(
    '$name',
    async ({ commands, lastLine }) => {
      expectLastLine(await shell.run(commands, 100_000), lastLine);
    },
    100_000,
  );
});

test('the policy comes and goes by deployments, whenever Beanstalk sets it, and nothing fails', async () => {
  const { status, output, result } = await runCli('beanstalk', '--machines', '2', '--seconds', '5');

  if (result === undefined) throw new Error(output);
  expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
  expect(result.newConnections.sent).toBeGreaterThanOrEqual(10_000);
  expect(result.keepAlive.failed).toBe(0);
  expect(result.webSockets).toMatchObject({ opened: 60, dropped: 0, messagesLost: 0, failedToOpen: 0 });
  expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  expect(result.forged).toMatchObject({ believed: 0 });
  const proxy = result.phases.find(({ name }) => name === 'proxy');
  // A kept connection goes on as it was opened in `both`, so that the last answer may be of one that names nobody.
  expect(proxy?.answers.own).toBeGreaterThan(100);
  expect(proxy?.answers.trusted).toBe(proxy?.answers.own);
  expect(status).toBe(0);
}, 300_000);
