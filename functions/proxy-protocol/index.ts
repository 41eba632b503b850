/** What Lambda loads: the handler with its real dependencies. */
import { lambdaClient, systemsManagerClient } from '../shared/clients.ts';
import { systemClock } from '../shared/clock.ts';
import { requireEnv } from '../shared/env.ts';
import { consoleLog } from '../shared/log.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  ssm: systemsManagerClient(),
  lambda: lambdaClient(),
  clock: systemClock,
  log: consoleLog,
  fetch,
  documentName: requireEnv('SWITCH_DOCUMENT'),
});
