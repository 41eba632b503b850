/** An Auto Scaling group that goes on working while the fleet is switched. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('an instance that is launched during a switch joins in both and is promoted, one is ended, and no request fails', async () => {
  const { output, result } = await runCli(
    'switch',
    '--launch-during',
    '--machines=2',
    '--seconds=5',
    '--quiet-seconds=10',
  );

  if (result === undefined) throw new Error(output);
  expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
  expect(result.keepAlive.failed).toBe(0);
  expect(result.webSockets).toMatchObject({ dropped: 0, messagesLost: 0 });
  expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  expect(result.forged).toMatchObject({ believed: 0, failed: 0 });
  expect(result.accessLog).toMatchObject({ answeredUnlogged: 0 });
  expect(result.stack.status).toBe('CREATE_COMPLETE');
  // Not the exit status: that allows one kept request in a thousand to be sent again, and draining ends kept connections by itself.
  expect(result.keepAlive.retried).toBeLessThanOrEqual(result.keepAlive.sent / 100);
  const modes = Object.fromEntries(
    result.timeline.instances.map(({ name, changes }) => [name, changes.map((change) => change.mode)]),
  );
  // m0 and m1 are the fleet, m2 is ended, and m3 is launched.
  expect(modes.m0).toEqual(['plain', 'both', 'proxy']);
  expect(modes.m3?.[0]).toBe('both');
  expect(modes.m3?.at(-1)).toBe('proxy');
}, 180_000);
