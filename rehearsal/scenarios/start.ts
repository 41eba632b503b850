/** `npm start`: the main job with a live picture of it, and the chat page to look at afterwards. */
import { once } from 'node:events';
import { Environment } from '../environment.ts';
import { startFleet } from '../fleet.ts';
import { verdict } from '../report/result.ts';
import { summary } from '../report/summary.ts';
import type { ScenarioOptions } from './options.ts';
import { runSwitch, writeReports } from './run.ts';

export async function start(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const { pagePort } = options;
  const environment = await Environment.start({
    ...options,
    pagePort: options.once ? undefined : pagePort,
    say: (line) => console.log(line),
  });
  try {
    const fleet = await startFleet(environment, options.machines);
    interrupted.throwIfAborted();
    const result = await runSwitch(environment, fleet, options, interrupted);
    await writeReports(result, options);
    const shortfalls = verdict(result);
    const pageUrl = `https://127.0.0.1:${pagePort}/`;
    console.log(
      summary(result, { colour: process.stdout.isTTY === true, shortfalls, ...(options.once ? {} : { pageUrl }) }),
    );
    if (!options.once) {
      console.log('\nThe browser will warn: the certificate was made for this run. Ctrl-C ends it all.');
      await once(interrupted, 'abort');
    }
    return shortfalls.length === 0 ? 0 : 1;
  } finally {
    await environment[Symbol.asyncDispose]();
  }
}
