/**
 * Where the service's name leads: weighted records, one for each load balancer. Which of them a client gets, chance decides at a resolver;
 * here each gets its exact share, spread evenly, so that a short run has it too. Nobody remembers an answer.
 */
export interface Entry {
  readonly kind: 'classic' | 'alb';
  readonly addresses: readonly string[];
  /** Share of the answers, of the sum of all; 0 = nobody is led here any more. */
  readonly weight: number;
}

/** The entry of one that asks, by how many have asked before. @throws Error  no entry has a weight */
export function entryAt(entries: readonly Entry[], index: number): Entry {
  const total = entries.reduce((sum, { weight }) => sum + weight, 0);
  let place = ((index * GOLDEN_RATIO) % 1) * total;
  for (const entry of entries) {
    place -= entry.weight;
    if (place < 0) return entry;
  }
  throw new Error("the service's name leads nowhere");
}

/** Steps of it fall evenly between 0 and 1, and have no common divisor with anything else that is taken in turn. */
const GOLDEN_RATIO = (Math.sqrt(5) - 1) / 2;
