/** Looks at what the run's processes hold, for as long as it lasts. */
import { processesBelow } from '../host/processes.ts';
import { groupOf, type ResourceSample, type ResourceSeries } from '../report/resources.ts';

/** So that an hour has 360 samples; one costs some 5 ms. Unit: milliseconds. */
const EVERY_MS = 10_000;

export interface ResourceWatch extends Disposable {
  /** So far. */
  series(): ResourceSeries[];
}

/** From now on, until it is disposed of. */
export function watchResources(runId: string): ResourceWatch {
  const startMs = Date.now();
  const seen = new Map<string, ResourceSeries & { samples: ResourceSample[] }>();
  const look = (): void => {
    const atMs = Date.now() - startMs;
    const sums = new Map<string, { residentBytes: number; fileDescriptors: number }>();
    for (const use of processesBelow(process.pid)) {
      const group = groupOf(use, { runId, pid: process.pid });
      if (group === undefined) continue;
      const key = `${group.program} ${group.machine}`;
      if (!seen.has(key)) seen.set(key, { ...group, samples: [] });
      const { residentBytes, fileDescriptors } = sums.get(key) ?? { residentBytes: 0, fileDescriptors: 0 };
      sums.set(key, {
        residentBytes: residentBytes + use.residentBytes,
        fileDescriptors: fileDescriptors + use.fileDescriptors,
      });
    }
    for (const [key, sum] of sums) seen.get(key)?.samples.push({ atMs, ...sum });
  };
  look();
  const timer = setInterval(look, EVERY_MS);
  return {
    series: () => [...seen.values()],
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
