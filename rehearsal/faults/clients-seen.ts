/** What clients met between two looks, and a result without what was cut off on purpose. */
import type { RehearsalResult } from '../report/result.ts';
import type { Totals, TrafficSnapshot } from '../traffic/counts.ts';
import type { Traffic } from '../traffic/traffic.ts';

/** Everything that a run is held against, as one number each. */
export interface Losses {
  readonly newConnections: number;
  readonly keepAlive: number;
  readonly resent: number;
  readonly dropped: number;
  readonly messagesRefused: number;
  readonly wrongAddresses: number;
  readonly forgedFailed: number;
  readonly forgedBelieved: number;
}

const NAMES: Readonly<Record<keyof Losses, string>> = {
  newConnections: 'new connections failed',
  keepAlive: 'keep-alive requests failed',
  resent: 'keep-alive requests sent again',
  dropped: 'WebSockets dropped',
  messagesRefused: 'messages refused or repeated',
  wrongAddresses: 'answers with a wrong address',
  forgedFailed: 'forged lines without an answer',
  forgedBelieved: 'forged lines believed',
};
const ALL = Object.keys(NAMES) as (keyof Losses)[];
export const NO_LOSSES = Object.fromEntries(ALL.map((name) => [name, 0])) as unknown as Losses;
/** A reload closes idle connections, which a client may meet once. */
const UNNOTICED: readonly (keyof Losses)[] = ['resent'];

export function lossesOf(totals: Totals): Losses {
  const { newConnections, keepAlive, webSockets, clientAddress, forged } = totals;
  return {
    newConnections: newConnections.failed,
    keepAlive: keepAlive.failed,
    resent: keepAlive.retried,
    dropped: webSockets.dropped,
    messagesRefused: webSockets.complaints,
    wrongAddresses: clientAddress.wrong,
    forgedFailed: forged.failed,
    forgedBelieved: forged.believed,
  };
}

export const between = (before: Losses, after: Losses): Losses => combined(after, before, (a, b) => a - b);
export const together = (one: Losses, other: Losses): Losses => combined(one, other, (a, b) => a + b);

function combined(one: Losses, other: Losses, join: (a: number, b: number) => number): Losses {
  return Object.fromEntries(ALL.map((name) => [name, join(one[name], other[name])])) as unknown as Losses;
}

/** What a fault may take away, and what none excuses: an address that is not the client's, taken for it. */
export function parted(losses: Losses): { readonly cutOff: Losses; readonly never: Losses } {
  const { wrongAddresses, forgedBelieved } = losses;
  return {
    cutOff: { ...losses, wrongAddresses: 0, forgedBelieved: 0 },
    never: { ...NO_LOSSES, wrongAddresses, forgedBelieved },
  };
}

/** A sentence for each that a client would have noticed. */
export const noticed = (losses: Losses): string[] =>
  ALL.filter((name) => losses[name] > 0 && !UNNOTICED.includes(name)).map((name) => `${losses[name]} ${NAMES[name]}`);

/** A client has one message on its way, seldom two, when its WebSocket is cut. */
const MESSAGES_PER_DROP = 2;

/** The result without what the faults themselves cut off. */
export function beyondFaults(result: RehearsalResult, cut: Losses): RehearsalResult {
  const { newConnections, keepAlive, webSockets, clientAddress, forged, generator } = result;
  return {
    ...result,
    newConnections: { ...newConnections, failed: newConnections.failed - cut.newConnections },
    keepAlive: { ...keepAlive, failed: keepAlive.failed - cut.keepAlive, retried: keepAlive.retried - cut.resent },
    webSockets: {
      ...webSockets,
      dropped: webSockets.dropped - cut.dropped,
      complaints: webSockets.complaints - cut.messagesRefused,
      messagesLost: Math.max(0, webSockets.messagesLost - cut.dropped * MESSAGES_PER_DROP),
    },
    clientAddress: { ...clientAddress, wrong: clientAddress.wrong - cut.wrongAddresses },
    forged: { ...forged, failed: forged.failed - cut.forgedFailed, believed: forged.believed - cut.forgedBelieved },
    // Clients that nobody answers are held up, and it is counted for the whole run alone.
    generator: { ...generator, capReached: noticed(cut).length === 0 ? generator.capReached : 0 },
  };
}

/** Clients report once a second: what they say that was taken after this moment. */
export async function freshLook(traffic: Traffic, interrupted: AbortSignal): Promise<TrafficSnapshot> {
  const from = Date.now();
  for (;;) {
    interrupted.throwIfAborted();
    const latest = traffic.latest();
    if (latest !== undefined && latest.atMs >= from) return latest;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
