/** The scenarios that judge themselves, point by point: their exit status is 0 only where nothing fell short. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test.each([
  { scenario: 'gates', promise: 'everything that is refused is named, and nothing is changed' },
  { scenario: 'cancel', promise: 'cancelled in each step, the fleet serves, and the next run completes' },
])(
  '$scenario: $promise',
  async ({ scenario }) => {
    const { status, output } = await runCli(
      scenario,
      '--machines=2',
      '--policy-delay-ms=200..1500',
      '--quiet-seconds=2',
      '--seconds=3',
    );

    if (status !== 0) throw new Error(output);
    expect(status).toBe(0);
  },
  900_000,
);
