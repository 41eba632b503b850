/** `npm run rehearse -- compare`: each order once, one after the other, each on a fleet of its own; then side by side. */
import { comparison } from '../report/comparison.ts';
import { renderHtml } from '../report/html.ts';
import { renderPicture } from '../report/picture.ts';
import { type Judged, played } from './judged.ts';
import { ORDERS, type ScenarioOptions } from './options.ts';
import { switching } from './switch.ts';
import { writeReports } from './write-reports.ts';

/** Enough to see that the traffic sees; the runs are to be compared, not to prove. */
const REQUIRED = { newConnections: 1_000 };

export async function compare(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const runs: Judged[] = [];
  for (const order of ORDERS) {
    interrupted.throwIfAborted();
    const once = {
      ...options,
      order,
      cycles: 0,
      launchDuring: false,
      json: undefined,
      html: undefined,
      svg: undefined,
    };
    runs.push(
      await played(once, interrupted, (stage) => switching(stage, { ...REQUIRED, webSockets: options.webSockets })),
    );
    console.log();
  }
  const results = runs.map(({ result }) => result);
  await writeReports(options, {
    json: () => ({ version: 1, runs: results }),
    html: () => renderHtml(runs),
    svg: () => renderPicture(results),
  });
  console.log(comparison(results, { colour: process.stdout.isTTY === true }));
  return runs.every(({ shortfalls }) => shortfalls.length === 0) ? 0 : 1;
}
