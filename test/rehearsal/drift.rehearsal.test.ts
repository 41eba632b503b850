/** A core of `npm run rehearse -- drift`: one drift at the load balancer, found, mended as printed, and mended by remediation alone. */
import { expect, test } from '@jest/globals';
import type { RehearsalResult } from '../../rehearsal/report/result.ts';
import { beyondDrift } from '../../rehearsal/scenarios/drift/beyond-drift.ts';
import type { Deed } from '../../rehearsal/scenarios/drift/deed.ts';
import { runCli } from './run-cli.ts';

test('a policy that is taken away is found, and comes back without a failure that is not its own', async () => {
  const { status, output, result } = await runCli(
    'drift',
    '--only=policy-missing',
    '--checks=2',
    '--policy-delay-ms=100..800',
    '--quiet-seconds=2',
    '--seconds=2',
  );

  if (result === undefined) throw new Error(output);
  const { drift } = result as RehearsalResult & { readonly drift: readonly Deed[] };
  expect(drift.map(({ what }) => what)).toEqual([
    'a healthy fleet',
    'by hand: policy-missing',
    'a check that stops',
    'by remediation: policy-missing',
    'what the check has called',
  ]);
  expect(drift.flatMap(({ what, wrong }) => wrong.map((each) => `${what}: ${each}`))).toEqual([]);
  expect(drift[1]?.said).toEqual(['EVERY_REQUEST_FAILS policy-missing at port 81 (no policy)']);
  expect(drift[1]?.mends).toEqual([expect.stringMatching(/^aws ssm start-automation-execution /)]);
  // The traffic has seen the drift, and nothing else.
  expect(result.newConnections.failed).toBeGreaterThan(100);
  const beyond = beyondDrift(result);
  expect(beyond.newConnections.failed).toBe(0);
  expect(beyond.keepAlive.failed).toBe(0);
  expect(beyond.webSockets).toMatchObject({ dropped: 0, messagesLost: 0 });
  if (status !== 0) throw new Error(output.slice(-20_000));
}, 400_000);
