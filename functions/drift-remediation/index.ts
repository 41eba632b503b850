/** What Lambda loads: the handler with its real dependencies. */
import { eventBridgeClient, systemsManagerClient } from '../shared/clients.ts';
import { systemClock } from '../shared/clock.ts';
import { requireEnv } from '../shared/env.ts';
import { consoleLog } from '../shared/log.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  ssm: systemsManagerClient(),
  events: eventBridgeClient(),
  clock: systemClock,
  log: consoleLog,
  switchDocument: requireEnv('SWITCH_DOCUMENT'),
});
