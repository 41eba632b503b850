/** The main job, and the two ways that people switch without it, on the same fleet and the same traffic. */
import { describe, expect, test } from '@jest/globals';
import { DISAGREEMENT_PHASE, type RehearsalResult } from '../../rehearsal/report/result.ts';
import { runCli } from './run-cli.ts';

describe('npm start -- --once', () => {
  test('a stack switches PROXY protocol on for a live fleet, and no request fails', async () => {
    const { status, output, result } = await runCli('start', '--once');

    if (result === undefined) throw new Error(output);
    expect(result.newConnections).toMatchObject({ failed: 0, failures: {} });
    expect(result.newConnections.sent).toBeGreaterThanOrEqual(20_000);
    expect(result.keepAlive.failed).toBe(0);
    expect(result.webSockets).toMatchObject({ dropped: 0, messagesLost: 0, failedToOpen: 0 });
    expect(result.webSockets.opened).toBeGreaterThanOrEqual(50);
    expect(result.stack.status).toBe('CREATE_COMPLETE');
    expect(result.generator).toMatchObject({ capReached: 0 });
    expect(result.generator.sources).toBeGreaterThanOrEqual(20);
    expect(result.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
    expect(result.forged).toMatchObject({ believed: 0 });
    expect(result.accessLog).toMatchObject({ answeredUnlogged: 0, unreadable: 0 });
    // In words, what fell short.
    if (status !== 0) throw new Error(output);
    for (const mode of ['plain', 'both', 'proxy']) {
      const phase = phaseOf(result, mode);
      expect(phase.newConnections.sent).toBeGreaterThanOrEqual(1_000);
      expect(phase.clientAddress).toMatchObject({ wrong: 0, unverified: 0 });
      expect(phase.clientAddress.correct).toBeGreaterThanOrEqual(1_000);
    }
    // Not only as expected, but seen in all three ways: the node's, nobody's, the client's own.
    expect(phaseOf(result, 'plain').sample?.address).toMatch(/^10\.0\./);
    expect(phaseOf(result, 'proxy').sample?.address).toMatch(/^198\.51\.100\./);
  }, 300_000);
});

describe('the orders that people use without it, which the same traffic must see fail', () => {
  test.each([
    { order: 'elb-first', kinds: ['status-400'] },
    { order: 'nginx-first', kinds: ['reset', 'closed', 'tls'] },
  ])(
    '$order: a fifth of the new connections at least fail while the sides disagree',
    async ({ order, kinds }) => {
      const { status, output, result } = await runCli('switch', '--order', order, '--seconds', '3');

      if (result === undefined) throw new Error(output);
      const phase = phaseOf(result, DISAGREEMENT_PHASE);
      expect(phase.newConnections.failed).toBeGreaterThanOrEqual(phase.newConnections.sent / 5);
      expect(Object.keys(phase.newConnections.failures).filter((kind) => !kinds.includes(kind))).toEqual([]);
      // The strict receiver in front of a load balancer without the policy drops them without a trace.
      if (order === 'nginx-first') expect(result.accessLog?.failedLogged).toBe(0);
      // The run does what it was asked to: show what it costs.
      expect(status).toBe(0);
    },
    200_000,
  );
});

function phaseOf(result: RehearsalResult, name: string): RehearsalResult['phases'][number] {
  const phase = result.phases.find((each) => each.name === name);
  if (phase === undefined)
    throw new Error(`no phase ${name}, only ${result.phases.map((each) => each.name).join(', ')}`);
  return phase;
}
