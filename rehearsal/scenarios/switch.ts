/** `npm run rehearse -- switch`: one switch under traffic, or several, counted, and over. */
import { Environment } from '../environment.ts';
import { startFleet } from '../fleet.ts';
import { verdict } from '../report/result.ts';
import { summary } from '../report/summary.ts';
import type { ScenarioOptions } from './options.ts';
import { runSwitch, writeReports } from './run.ts';

/** What a run has to have seen depends on how long it was asked to be. */
function required({ cycles, webSockets }: ScenarioOptions): { newConnections: number; webSockets: number } {
  return { newConnections: cycles >= 5 ? 100_000 : 1_000, webSockets };
}

export async function switchScenario(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const environment = await Environment.start({ ...options, pagePort: undefined, say: (line) => console.log(line) });
  try {
    const fleet = await startFleet(environment, options.machines);
    interrupted.throwIfAborted();
    const result = await runSwitch(environment, fleet, options, interrupted);
    await writeReports(result, options);
    const shortfalls = verdict(result, required(options));
    console.log(summary(result, { colour: process.stdout.isTTY === true, shortfalls }));
    return shortfalls.length === 0 ? 0 : 1;
  } finally {
    await environment[Symbol.asyncDispose]();
  }
}
