/** The whole matrix of faults, part by part: the exit status is 0 only where none falls short. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test.each(['calls', 'custom-resource', 'instances', 'load-balancer'])(
  '%s: each fault was there, what it did not cut off was served, and the work was ended',
  async (part) => {
    const { status, output } = await runCli('faults', `--only=${part}`);

    if (status !== 0) throw new Error(output);
    expect(status).toBe(0);
  },
  2_400_000,
);
