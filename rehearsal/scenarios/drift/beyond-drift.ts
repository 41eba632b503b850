/**
 * A result without what the drifts themselves did to clients. A drift lasts from the phase that is named for it until the runbook has
 * every receiver in `both`, or until it is mended and every node has followed: what fails after that nobody can blame on it.
 */
import type { PhaseResult, RehearsalResult } from '../../report/result.ts';

export const DRIFT_PHASE = 'drift: ';

/** One for each drift that was made: its phase, and those of a runbook on its way to `both`. */
export function driftPhases(phases: readonly PhaseResult[]): PhaseResult[] {
  let isDrift = false;
  return phases.filter(({ name, modes }) => {
    if (name.startsWith(DRIFT_PHASE)) isDrift = true;
    else if (modes.length === 1) isDrift = false;
    return isDrift;
  });
}

/** A client has one message on its way, seldom two, when its WebSocket is cut. */
const MESSAGES_PER_DROP = 2;

export function beyondDrift(result: RehearsalResult): RehearsalResult {
  const own = driftPhases(result.phases);
  const inDrift = (count: (phase: PhaseResult) => number): number => own.reduce((sum, phase) => sum + count(phase), 0);
  const dropped = inDrift(({ webSocketsDropped }) => webSocketsDropped);
  const { newConnections, keepAlive, forged, webSockets, clientAddress, generator } = result;
  return {
    ...result,
    newConnections: {
      ...newConnections,
      failed: newConnections.failed - inDrift((phase) => phase.newConnections.failed),
    },
    keepAlive: {
      ...keepAlive,
      failed: keepAlive.failed - inDrift((phase) => phase.keepAlive.failed),
      retried: keepAlive.retried - inDrift((phase) => phase.keepAlive.retried),
    },
    // While the policy is missing and receivers are strict, the only line that comes is a client's own, and it is believed.
    forged: {
      ...forged,
      failed: forged.failed - inDrift((phase) => phase.forged.failed),
      believed: forged.believed - inDrift((phase) => phase.forged.believed),
    },
    clientAddress: { ...clientAddress, wrong: clientAddress.wrong - inDrift((phase) => phase.clientAddress.wrong) },
    webSockets: {
      ...webSockets,
      dropped: webSockets.dropped - dropped,
      messagesLost: Math.max(0, webSockets.messagesLost - dropped * MESSAGES_PER_DROP),
    },
    // Clients that nobody answers are held up, and it is counted for the whole run alone.
    generator: { ...generator, capReached: own.length === 0 ? generator.capReached : 0 },
  };
}
