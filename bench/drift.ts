/**
 * `npm run bench -- drift`: the drift check over an account of 1,000 load balancers and 10,000 instances, whose API takes ten calls a second
 * for each service. Five minutes.
 */
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { boundsOf, countsOf, runDriftCheck } from './drift-run.ts';

const { values } = parseArgs({
  options: {
    'load-balancers': { type: 'string', default: '1000' },
    instances: { type: 'string', default: '10000' },
    'limit-per-second': { type: 'string', default: '10' },
    'calls-per-second': { type: 'string', default: '8' },
  },
});
const options = {
  loadBalancers: Number(values['load-balancers']),
  instances: Number(values.instances),
  limitPerSecond: Number(values['limit-per-second']),
  callsPerSecond: Number(values['calls-per-second']),
};

const number = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 1 });
console.log(
  `${number(options.loadBalancers)} load balancers, ${number(options.instances)} instances, ${options.limitPerSecond} calls a second for each service; the check makes ${options.callsPerSecond} in all`,
);
const run = await runDriftCheck(options);
for (const [action, count] of [...run.calls].sort(([, a], [, b]) => b - a))
  console.log(`  ${action.padEnd(30)}${number(count).padStart(8)}`);

const bounds = boundsOf(options);
const counts = countsOf(run);
const rows = [
  ['reads of load balancers, and their share', counts.reads, bounds.reads],
  ['pages', counts.pages, bounds.pages],
  ['commands', counts.commands, bounds.commands],
] as const;
for (const [what, count, bound] of rows)
  console.log(`${what.padEnd(42)}${number(count).padStart(8)}   at most ${number(bound)}`);
console.log(
  `${number(run.checked)} checked, ${run.answer.status}, in ${number(run.seconds)} s and ${run.invocations} invocation${run.invocations === 1 ? '' : 's'}; ${run.throttled} throttled; ${number(run.peakMb)} MB at most (${cpus()[0]?.model.trim()}, ${cpus().length} cores)`,
);
const isWithin = rows.every(([, count, bound]) => count <= bound);
process.exitCode = isWithin && run.checked === options.loadBalancers && run.answer.status === 'IN_SYNC' ? 0 : 1;
