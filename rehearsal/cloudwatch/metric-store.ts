/** What was measured: every value with its time, by namespace, name and dimensions; statistics are made when they are asked for. */

export interface MetricId {
  readonly namespace: string;
  readonly name: string;
  readonly dimensions: Readonly<Record<string, string>>;
}

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number;
  /** How often the value was measured. */
  readonly count: number;
  readonly unit: string;
}

export interface Datapoint {
  /** The beginning of its period. Milliseconds since the epoch. */
  readonly at: number;
  readonly value: number;
  readonly unit: string;
}

/** `Sum`, `Average` … or `p99`, `p99.9`. */
export type Statistic = string;

const SIMPLE_STATISTICS = ['SampleCount', 'Average', 'Sum', 'Minimum', 'Maximum'];

export function isStatistic(name: string): boolean {
  return SIMPLE_STATISTICS.includes(name) || /^p(100|\d{1,2}(\.\d{1,10})?)$/.test(name);
}

export class MetricStore {
  readonly #metrics = new Map<string, { readonly id: MetricId; readonly samples: Sample[] }>();

  put(id: MetricId, sample: Sample): void {
    const key = keyOf(id);
    const metric = this.#metrics.get(key) ?? { id, samples: [] };
    this.#metrics.set(key, metric);
    metric.samples.push(sample);
  }

  all(): readonly MetricId[] {
    return [...this.#metrics.values()].map(({ id }) => id);
  }

  /**
   * One datapoint for each period with a sample in it, oldest first.
   *
   * @param from    inclusive; periods begin here. Milliseconds since the epoch
   * @param to      exclusive
   * @param unit    samples of others do not count; undefined = any
   */
  datapoints(
    id: MetricId,
    query: { from: number; to: number; periodSeconds: number; statistic: Statistic; unit?: string | undefined },
  ): Datapoint[] {
    const periodMs = query.periodSeconds * 1000;
    const byPeriod = new Map<number, Sample[]>();
    for (const sample of this.#metrics.get(keyOf(id))?.samples ?? []) {
      if (sample.at < query.from || sample.at >= query.to) continue;
      if (query.unit !== undefined && sample.unit !== query.unit) continue;
      const at = query.from + Math.floor((sample.at - query.from) / periodMs) * periodMs;
      byPeriod.set(at, [...(byPeriod.get(at) ?? []), sample]);
    }
    return [...byPeriod]
      .sort(([left], [right]) => left - right)
      .map(([at, samples]) => ({ at, value: statisticOf(samples, query.statistic), unit: samples[0]?.unit ?? 'None' }));
  }
}

/** @param samples  one at least */
function statisticOf(samples: readonly Sample[], statistic: Statistic): number {
  const count = samples.reduce((sum, each) => sum + each.count, 0);
  const total = samples.reduce((sum, each) => sum + each.value * each.count, 0);
  const values = samples.map(({ value }) => value);
  switch (statistic) {
    case 'SampleCount':
      return count;
    case 'Sum':
      return total;
    case 'Average':
      return total / count;
    case 'Minimum':
      return Math.min(...values);
    case 'Maximum':
      return Math.max(...values);
    default: {
      const sorted = [...samples].sort((left, right) => left.value - right.value);
      const wanted = (Number(statistic.slice(1)) / 100) * count;
      let seen = 0;
      for (const { value, count: times } of sorted) {
        seen += times;
        if (seen >= wanted) return value;
      }
      return sorted.at(-1)?.value ?? 0;
    }
  }
}

function keyOf({ namespace, name, dimensions }: MetricId): string {
  return JSON.stringify([
    namespace,
    name,
    Object.entries(dimensions).sort(([left], [right]) => (left < right ? -1 : 1)),
  ]);
}
