/** What Lambda loads: the handler with its real dependencies. */
import { elasticLoadBalancingClient, eventBridgeClient, systemsManagerClient } from '../shared/clients.ts';
import { systemClock } from '../shared/clock.ts';
import { requireEnv, requireNumber } from '../shared/env.ts';
import { consoleLog } from '../shared/log.ts';
import { createHandler } from './handler.ts';
import { createPace, paced } from './pace.ts';

const calls: Record<string, number> = {};
const awaitTurn = createPace(systemClock, requireNumber('CALLS_PER_SECOND', 1));
const count = (name: string) => {
  calls[name] = (calls[name] ?? 0) + 1;
};

export const handler = createHandler({
  elb: paced(elasticLoadBalancingClient(), awaitTurn, count),
  ssm: paced(systemsManagerClient(), awaitTurn, count),
  events: paced(eventBridgeClient(), awaitTurn, count),
  clock: systemClock,
  log: consoleLog,
  print: (line) => process.stdout.write(`${line}\n`),
  /** Since it was asked last. */
  takeCalls: () => {
    const taken = { ...calls };
    for (const name of Object.keys(calls)) delete calls[name];
    return taken;
  },
  stackName: requireEnv('STACK_NAME'),
  inspectDocument: requireEnv('INSPECT_DOCUMENT'),
  switchDocument: requireEnv('SWITCH_DOCUMENT'),
  bothSeconds: requireNumber('BOTH_SECONDS', 0),
});
