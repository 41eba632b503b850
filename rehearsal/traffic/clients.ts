/** What the kinds of clients have in common: the run that they are part of, and how an answer is judged. */
import type { Answer } from './answer-parser.ts';
import { type Exchange, type FailureKind, failureOfStatus, type Listener, type TlsClient } from './exchange.ts';
import type { InstanceAnswer, Ledger } from './ledger.ts';
import type { TrafficPlan } from './plan.ts';
import type { Returns } from './returns.ts';
import type { Targets } from './rotation.ts';

export interface Run {
  readonly plan: TrafficPlan;
  readonly ledger: Ledger;
  readonly targets: Targets;
  readonly returns: Returns;
  readonly tls: TlsClient;
  /** Aborted when the traffic is to stop: nothing new is begun after it. */
  readonly stop: AbortSignal;
}

/** A kind of clients that is running. */
export interface RunningClients {
  /** Resolves when everything that was in flight has ended; only after `run.stop` was aborted, or the plan's count was reached. */
  readonly ended: Promise<void>;
}

/** An entry that the client has written itself, as one behind a proxy of its own does. Nobody may believe it. */
export const OWN_FORWARDED_FOR = '203.0.113.66';

export function whoamiRequest(rid: string, servername: string, connection: 'close' | 'keep-alive'): string {
  const headers = `User-Agent: proxyflip-rehearsal\r\nX-Forwarded-For: ${OWN_FORWARDED_FOR}\r\nConnection: ${connection}`;
  return `GET /whoami?rid=${rid} HTTP/1.1\r\nHost: ${servername}\r\n${headers}\r\n\r\n`;
}

export type Verdict =
  | { readonly kind: 'ok'; readonly answer?: InstanceAnswer }
  | { readonly kind: 'failed'; readonly failure: FailureKind; readonly detail: string };

/**
 * What each listener has to answer: the plain one a redirect to https, by nginx itself; the TLS one 200 with what the
 * application saw. Anything else is a failure, also a 200 on the plain listener.
 */
export function judgeExchange(listener: Listener, exchange: Exchange): Verdict {
  if (exchange.kind === 'failure') {
    return { kind: 'failed', failure: exchange.failure, detail: `${exchange.detail} (${exchange.bytes} bytes before)` };
  }
  const { answer } = exchange;
  if (listener === 'plain') {
    if (answer.status !== 301) return unexpected(answer);
    if (answer.headers.get('location')?.startsWith('https://')) return { kind: 'ok' };
    return { kind: 'failed', failure: 'bad-answer', detail: `redirect to ${answer.headers.get('location')}` };
  }
  if (answer.status !== 200) return unexpected(answer);
  const seen = parseWhoami(answer.body);
  if (seen) return { kind: 'ok', answer: seen };
  return { kind: 'failed', failure: 'bad-answer', detail: `body ${JSON.stringify(answer.body.slice(0, 80))}` };
}

function unexpected(answer: Answer): Verdict {
  return { kind: 'failed', failure: failureOfStatus(answer.status), detail: `status ${answer.status}` };
}

function parseWhoami(body: string): InstanceAnswer | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { address, trusted, instance } = value as Record<string, unknown>;
  if (address !== null && typeof address !== 'string') return undefined;
  if (typeof trusted !== 'boolean' || typeof instance !== 'string') return undefined;
  return { address, trusted, instance };
}

/** Resolves after `ms`, or at once when the traffic is to stop. */
export function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stop.addEventListener('abort', end);
  });
}

export function between([low, high]: readonly [number, number]): number {
  return low + Math.random() * (high - low);
}
