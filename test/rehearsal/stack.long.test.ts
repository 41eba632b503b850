/** A stack's whole life under load: nothing fails, nothing is written that changes nothing, and nothing stays behind. */
import { expect, test } from '@jest/globals';
import { runCli } from './run-cli.ts';

interface Step {
  readonly step: string;
  readonly status: string;
  readonly writes: unknown;
  readonly policies: Readonly<Record<string, unknown>>;
  readonly wrong: readonly string[];
}

test('created, updated, rolled back and deleted: no request fails, and every port has the policies that it had', async () => {
  const { status, output, result } = await runCli(
    'stack',
    '--machines=2',
    '--policy-delay-ms=100..800',
    '--quiet-seconds=2',
    '--seconds=2',
  );

  if (result === undefined) throw new Error(output);
  const { steps } = result as unknown as { readonly steps: readonly Step[] };
  expect(steps.map(({ step, status: ended, writes }) => [step, ended, writes])).toEqual([
    ['created, and rolled back', 'ROLLBACK_COMPLETE', { created: 0, attached: 0, deleted: 0 }],
    ['deleted after the rollback', 'DELETE_COMPLETE', { created: 0, attached: 0, deleted: 0 }],
    ['created', 'CREATE_COMPLETE', { created: 1, attached: 2, deleted: 0 }],
    ['run again by a person', 'CREATE_COMPLETE', { created: 0, attached: 0, deleted: 0 }],
    ['updated: a listener added', 'UPDATE_COMPLETE', { created: 0, attached: 1, deleted: 0 }],
    ['updated: a listener removed', 'UPDATE_COMPLETE', { created: 0, attached: 1, deleted: 0 }],
    ['updated: the tag changed', 'UPDATE_COMPLETE', { created: 0, attached: 0, deleted: 0 }],
    ['updated, and rolled back', 'UPDATE_ROLLBACK_COMPLETE', { created: 0, attached: 0, deleted: 0 }],
    ['updated: the load balancer replaced', 'UPDATE_COMPLETE', { created: 1, attached: 4, deleted: 1 }],
    ['deleted', 'DELETE_COMPLETE', { created: 0, attached: 2, deleted: 1 }],
  ]);
  expect(steps.flatMap(({ wrong }) => wrong)).toEqual([]);
  expect(steps.at(-1)?.policies).toEqual({
    'chat-fleet': { 80: ['corporate-keys'], 9443: ['corporate-keys'] },
    'chat-fleet-2': {},
  });
  expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
  expect(result.webSockets).toMatchObject({ dropped: 0, messagesLost: 0 });
  expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
  expect(status).toBe(0);
}, 280_000);
