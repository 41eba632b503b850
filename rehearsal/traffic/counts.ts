/** The shapes of what is counted; `ledger.ts` counts. */

import type { ReceiverMode } from './client-address.ts';
import type { FailureKind } from './exchange.ts';

export type FailureCounts = Partial<Record<FailureKind, number>>;

export interface RequestCounts {
  sent: number;
  ok: number;
  failed: number;
  failures: FailureCounts;
}

export interface KeepAliveCounts extends RequestCounts {
  /** Sent again once, because a reused connection ended before any byte of the answer, as browsers do. Not failed. */
  retried: number;
}

export interface ForgedCounts {
  sent: number;
  /** Answered as anybody else, and not under the claimed address. */
  served: number;
  /** Answered 400, or closed without an answer: legitimate wherever only one kind of connection is accepted. */
  refused: number;
  /** The application took the claimed address for the client's. Must be 0. */
  believed: number;
  /** Neither: reset, timed out, no connection. */
  failed: number;
  failures: FailureCounts;
}

/** See `client-address.ts`. */
export interface AddressCounts {
  correct: number;
  wrong: number;
  unverified: number;
}

/** What the application's answers said, whatever was right. */
export interface AnswerCounts {
  own: number;
  node: number;
  none: number;
  other: number;
  trusted: number;
  untrusted: number;
  /** Answers on connections that had been opened in an earlier phase. */
  onOlderConnections: number;
}

/** Everything that was started within one phase; what ended in a later one is counted here too, and in `spanning`. */
export interface PhaseCounts {
  readonly name: string;
  readonly modes: readonly ReceiverMode[];
  readonly startMs: number;
  endMs: number;
  newConnections: RequestCounts;
  keepAlive: KeepAliveCounts;
  forged: ForgedCounts;
  clientAddress: AddressCounts;
  answers: AnswerCounts;
  /** Requests that were started in this phase and ended in a later one. */
  spanning: number;
  webSocketsDropped: number;
  /** Answers of the application by instance, as the answer names it. */
  byInstance: Record<string, number>;
  /** The last answer of the application to a request that was started and ended in this phase, as an example. */
  sample?: { readonly source: string; readonly address: string | null; readonly trusted: boolean };
}

export interface WebSocketDrop {
  readonly client: number;
  readonly target: string;
  readonly phase: string;
  readonly atMs: number;
  /** RFC 6455 close code; 1006 = ended without a close frame. */
  readonly code: number;
  readonly reason: string;
}

export interface WebSocketCounts {
  opened: number;
  /** Came back when they were told to; a client is counted each time. */
  returned: number;
  /** Could not be opened in the first place: counted as dropped by nobody, and as a failure by `verdict`. */
  failedToOpen: number;
  /** Every end that this side had not asked for. */
  dropped: number;
  messagesSent: number;
  messagesEchoed: number;
  /** Sent and not echoed when the run had ended, grace included. */
  messagesLost: number;
  /** Messages that the service refused, or numbered with a gap or twice. */
  complaints: number;
  open: number;
}

export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

/** One second of the run; requests stand in the second in which they were started. */
export interface SecondCounts {
  /** Since the traffic's start. Unit: seconds. */
  readonly second: number;
  newConnections: number;
  keepAlive: number;
  retried: number;
  failures: FailureCounts;
  messages: number;
  webSocketsOpen: number;
}

/** What the load generator has to say against itself. */
export interface GeneratorCounts {
  /** Connections started more than 50 ms after they were due. */
  lateStarts: number;
  maxLateMs: number;
  maxInFlight: number;
  /** Connections that had to wait because `maxInFlight` was reached: the loop was closed. Must be 0 in a fair run. */
  capReached: number;
  /** Distinct source addresses used. */
  sources: number;
}

export interface Totals {
  readonly newConnections: RequestCounts;
  readonly keepAlive: KeepAliveCounts;
  readonly webSockets: WebSocketCounts;
  readonly forged: ForgedCounts;
  readonly clientAddress: AddressCounts;
}

/** Sent by the worker once a second. */
export interface TrafficSnapshot extends Totals {
  readonly atMs: number;
  readonly elapsedMs: number;
  readonly phase: string;
  /** Ended in the second before this snapshot. Unit: per second. */
  readonly rates: {
    readonly newConnections: number;
    readonly keepAlive: number;
    readonly failed: number;
    readonly messages: number;
  };
  /** Of the last second, all requests. Unit: milliseconds. */
  readonly latencyMs: LatencySummary;
  readonly generator: GeneratorCounts;
}

export interface TrafficResult extends Totals {
  readonly startMs: number;
  readonly endMs: number;
  /** `asked`: by `stop`; `maxSeconds`: by the plan's own bound. */
  readonly endedBy: 'asked' | 'maxSeconds';
  readonly phases: readonly PhaseCounts[];
  readonly newConnectionsByEntry: { readonly classic: RequestCounts; readonly alb: RequestCounts };
  /** Every address of an Application Load Balancer that clients were led to. */
  readonly albAddresses: readonly string[];
  readonly newConnectionsByListener: { readonly plain: RequestCounts; readonly tls: RequestCounts };
  readonly drops: readonly WebSocketDrop[];
  /** From when a request was due to its answer's last byte. Unit: milliseconds. */
  readonly latencyMs: {
    readonly newConnections: LatencySummary;
    readonly keepAlive: LatencySummary;
    readonly echo: LatencySummary;
  };
  readonly generator: GeneratorCounts;
  readonly seconds: readonly SecondCounts[];
  /** The first few of each kind of failure and of wrong addresses, in words. */
  readonly examples: readonly string[];
}
