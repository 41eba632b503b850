/** What the page and the picture draw alike: seconds, heights, and what was so from when to when. */
import type { FailureCounts, SecondCounts } from '../traffic/counts.ts';
import { FAILURE_KINDS, type FailureKind } from '../traffic/exchange.ts';
import { DISAGREEMENT_PHASE, type PhaseResult } from './result.ts';

export function requestsIn({ newConnections, keepAlive }: SecondCounts): number {
  return newConnections + keepAlive;
}

/** A round number that is not far above, half of which is round as well: both stand at the axis. */
export function niceCeiling(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 4, 6, 8, 10].find((each) => each * power >= value * 1.05) ?? 20) * power;
}

/** The receivers are on their way from one mode to another. */
export function isTransition({ name, modes }: PhaseResult): boolean {
  return modes.length === 2 && name !== DISAGREEMENT_PHASE;
}

/** Each change until the next, in the order of time. */
export function spans<T extends { readonly atMs: number }>(changes: readonly T[], endMs: number) {
  const ordered = [...changes].sort((left, right) => left.atMs - right.atMs);
  return ordered.map((change, index) => ({ change, fromMs: change.atMs, toMs: ordered[index + 1]?.atMs ?? endMs }));
}

/** One request that failed among hundreds must be seen: no bar is lower than this share of the plot. */
const LEAST_BAR = 0.015;

/** The kinds that there are, in one order, each as high as it is drawn. Unit: as `high`, which is the plot's. */
export function failureHeights(
  failures: FailureCounts,
  high: number,
): { readonly kind: FailureKind; readonly value: number; readonly height: number }[] {
  return FAILURE_KINDS.flatMap((kind) => {
    const value = failures[kind] ?? 0;
    return value === 0 ? [] : [{ kind, value, height: Math.max(value, high * LEAST_BAR) }];
  });
}

export function escapeMarkup(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
