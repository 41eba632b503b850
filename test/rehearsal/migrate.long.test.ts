/** The way to an Application Load Balancer, as its page says it: on the same traffic as the fleet's. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('clients are led from a Classic Load Balancer to an Application one under load, and nothing fails', async () => {
  const { status, output, result } = await runCli('migrate', '--machines', '2', '--seconds', '5');

  if (result === undefined) throw new Error(output);
  expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
  expect(result.newConnectionsByEntry?.classic.ok).toBeGreaterThan(5_000);
  expect(result.newConnectionsByEntry?.alb.ok).toBeGreaterThan(5_000);
  expect(result.keepAlive).toMatchObject({ failed: 0 });
  // Each came back once, by itself, and heard everything that was said in its room.
  expect(result.webSockets).toMatchObject({
    opened: 60,
    returned: 60,
    dropped: 0,
    messagesLost: 0,
    complaints: 0,
    failedToOpen: 0,
  });
  expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  expect(result.forged).toMatchObject({ believed: 0 });
  expect(result.accessLog).toMatchObject({ answeredUnlogged: 0, unreadable: 0 });
  expect(status).toBe(0);
}, 400_000);
