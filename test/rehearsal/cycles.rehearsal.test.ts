/** On and off again: the way back is a switch like the way there. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

test('on by the creation of a stack and off by its deletion: no request fails in either direction', async () => {
  const { status, output, result } = await runCli(
    'switch',
    '--cycles=1',
    '--machines=2',
    '--quiet-seconds=3',
    '--seconds=3',
  );

  if (result === undefined) throw new Error(output);
  expect(result.stack.status).toBe('DELETE_COMPLETE');
  expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
  expect(result.keepAlive.failed).toBe(0);
  expect(result.webSockets).toMatchObject({ dropped: 0, messagesLost: 0, failedToOpen: 0 });
  expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  expect(result.phases.map(({ name }) => name)).toEqual([
    'plain',
    'plain → both',
    'both',
    'both → proxy',
    'proxy',
    'proxy → both',
    'both',
    'both → plain',
    'plain',
  ]);
  for (const { changes } of result.timeline.instances) {
    expect(changes.map(({ mode }) => mode)).toEqual(['plain', 'both', 'proxy', 'both', 'plain']);
  }
  expect(status).toBe(0);
}, 200_000);
