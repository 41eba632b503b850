/** Least privilege, with what ships: the scenario judges itself, and its exit status is 0 only where nothing fell short. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('an operator and an instance may what they need and nothing else, and every permission of the stack is used or named', async () => {
  const { status, output } = await runCli(
    'access',
    '--machines=2',
    '--policy-delay-ms=200..1500',
    '--quiet-seconds=2',
    '--seconds=3',
  );

  if (status !== 0) throw new Error(output);
  expect(output).toContain('may       join, and fetch the chat with the instance’s role: Success');
  expect(output).not.toContain('NOBODY KNOWS WHY');
}, 600_000);
