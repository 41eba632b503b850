/** The container's walk, on and off again, as its page says it: on the same traffic as the fleet's. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('instances that run the container are switched on and off under load, and nothing fails', async () => {
  const { status, output, result } = await runCli('container', '--machines', '2', '--seconds', '5');

  if (result === undefined) throw new Error(output);
  expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
  expect(result.newConnections.sent).toBeGreaterThanOrEqual(10_000);
  // Nothing is reloaded, so that not even a request has to be sent again.
  expect(result.keepAlive).toMatchObject({ failed: 0, retried: 0 });
  expect(result.webSockets).toMatchObject({ opened: 60, dropped: 0, messagesLost: 0, failedToOpen: 0 });
  expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  expect(result.forged).toMatchObject({ believed: 0 });
  expect(result.accessLog).toMatchObject({ answeredUnlogged: 0, unreadable: 0 });
  const proxy = result.phases.find(({ name }) => name === 'proxy');
  expect(proxy?.sample).toMatchObject({ trusted: true, address: expect.stringMatching(/^198\.51\.100\./) });
  expect(status).toBe(0);
}, 300_000);
