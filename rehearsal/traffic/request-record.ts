/**
 * One line for each request that was sent, so that afterwards it can be looked for in the machines' access logs.
 *
 * A JSON array without names: a run writes some ten thousands of them.
 */
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import type { FailureKind, Listener } from './exchange.ts';

export type Stream = 'new' | 'keepAlive' | 'forged';

/** `retried`: the first attempt of a keep-alive request that was sent again; the second has a record of its own. */
export type Outcome = 'ok' | 'retried' | FailureKind;

export interface RequestRecord {
  /** In the request's query, so that an access log shows which request it was. */
  readonly rid: string;
  readonly stream: Stream;
  readonly listener: Listener;
  readonly source: string;
  readonly target: string;
  /** Unix time. Unit: milliseconds. */
  readonly startMs: number;
  readonly endMs: number;
  /** Indices into the run's phases: when its connection was opened, when it was sent, when it was answered or failed. */
  readonly openedPhase: number;
  readonly startedPhase: number;
  readonly endedPhase: number;
  readonly outcome: Outcome;
}

export function formatRecord(record: RequestRecord): string {
  const { rid, stream, listener, source, target, startMs, endMs } = record;
  const { openedPhase, startedPhase, endedPhase, outcome } = record;
  return `${JSON.stringify([
    rid,
    stream,
    listener,
    source,
    target,
    startMs,
    endMs,
    openedPhase,
    startedPhase,
    endedPhase,
    outcome,
  ])}\n`;
}

function parseRecord(line: string): RequestRecord {
  const [rid, stream, listener, source, target, startMs, endMs, openedPhase, startedPhase, endedPhase, outcome] =
    JSON.parse(line) as [string, Stream, Listener, string, string, number, number, number, number, number, Outcome];
  return { rid, stream, listener, source, target, startMs, endMs, openedPhase, startedPhase, endedPhase, outcome };
}

/** A last line that is cut off, as a killed worker leaves it, is not a record. */
export async function* readRecords(file: string): AsyncGenerator<RequestRecord> {
  let pending: string | undefined;
  for await (const line of createInterface({ input: createReadStream(file) })) {
    if (pending !== undefined) yield parseRecord(pending);
    pending = line;
  }
  if (pending?.endsWith(']')) yield parseRecord(pending);
}
