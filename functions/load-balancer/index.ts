/** What Lambda loads: the handler with its real dependencies. */
import { autoScalingClient, elasticLoadBalancingClient, systemsManagerClient } from '../shared/clients.ts';
import { systemClock } from '../shared/clock.ts';
import { consoleLog } from '../shared/log.ts';
import { createHandler } from './handler.ts';

export const handler = createHandler({
  autoScaling: autoScalingClient(),
  elb: elasticLoadBalancingClient(),
  ssm: systemsManagerClient(),
  clock: systemClock,
  log: consoleLog,
});
