/** Every kind of drift that the check knows, and that the rehearsal can make. */
import { test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('every kind is found, named and mended, by the command that is printed and by remediation', async () => {
  const { status, output } = await runCli('drift', '--policy-delay-ms=100..800', '--quiet-seconds=2', '--seconds=2');
  if (status !== 0) throw new Error(output.slice(-20_000));
}, 1_800_000);
