/** What is done to the switch itself, and to what the check remembers. */
import { once } from 'node:events';
import { StopAutomationExecutionCommand } from '@aws-sdk/client-ssm';
import { LOAD_BALANCER } from '../../../fleet.ts';
import { startRunbook, waitForExecution } from '../../runbook.ts';
import { type Cast, driftParameters, enable, type Way } from './way.ts';

export function switchWays(cast: Cast): Way[] {
  return [
    {
      kind: 'suppression-unreadable',
      by: 'a suppression is written that cannot be read',
      severity: 'UNTIDY',
      where: 'load balancer',
      isMendedBySwitch: false,
      make: () =>
        cast.hands.shell(
          `aws ssm put-parameter --name /proxyflip/drift/suppressions/${LOAD_BALANCER} --type String --value 'until further notice'`,
        ),
    },
    {
      kind: 'switch-unfinished',
      by: 'a switch is cancelled while it measures',
      severity: 'CLIENT_ADDRESSES_WRONG',
      where: 'load balancer',
      isMendedBySwitch: true,
      make: () => cancelWhileMeasuring(cast),
      // It was a way off, and the mend goes it to its end.
      after: () => enable(cast),
    },
  ];
}

async function cancelWhileMeasuring(cast: Cast): Promise<void> {
  const { environment, interrupted } = cast;
  const measuring = new AbortController();
  const unsubscribe = environment.ssm.subscribe((event) => {
    if (event.type === 'step' && event.stepName === 'MeasureReceivers') measuring.abort();
  });
  try {
    const AutomationExecutionId = await startRunbook(environment, 'disable', driftParameters(cast));
    if (!measuring.signal.aborted) await once(measuring.signal, 'abort', { signal: AbortSignal.timeout(120_000) });
    await environment.clients.ssm.send(new StopAutomationExecutionCommand({ AutomationExecutionId, Type: 'Cancel' }));
    await waitForExecution(environment, AutomationExecutionId, interrupted);
  } finally {
    unsubscribe();
  }
}
