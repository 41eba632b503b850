/**
 * Wait, bounded, until the fleet is registered and reachable: a stack that creates its fleet beside the switch gets here first.
 * It decides nothing: after the bound it answers `yes`, and Begin's gates say what is missing, by name.
 */
import { GetAutomationExecutionCommand } from '@aws-sdk/client-ssm';
import { describeLoadBalancer, LoadBalancerNotFoundError } from '../classic-elb.ts';
import { describeFleet } from '../fleet.ts';
import type { InputOf } from '../input.ts';
import type { Deps } from './deps.ts';

const POLL_MS = 10_000;
/** One round of the runbook's loop: well within the 300 s of a Lambda step. */
const ROUND_MS = 200_000;

export async function awaitFleet(
  deps: Deps,
  input: InputOf<'AwaitFleet'>,
): Promise<{ ready: 'yes' | 'no'; reason: string }> {
  if (input.direction === 'disable' || input.waitSeconds === 0) return { ready: 'yes', reason: '' };
  const { AutomationExecution } = await deps.ssm.send(
    new GetAutomationExecutionCommand({ AutomationExecutionId: input.executionId }),
  );
  const startedAt = AutomationExecution?.ExecutionStartTime?.getTime() ?? deps.clock.now();
  const until = startedAt + input.waitSeconds * 1000;
  const roundUntil = deps.clock.now() + ROUND_MS;
  for (;;) {
    const reason = await whatIsMissing(deps, input);
    if (reason === '' || deps.clock.now() >= until) return { ready: 'yes', reason };
    if (deps.clock.now() >= roundUntil) return { ready: 'no', reason };
    await deps.clock.sleep(POLL_MS);
  }
}

async function whatIsMissing({ elb, ssm }: Deps, input: InputOf<'AwaitFleet'>): Promise<string> {
  try {
    const loadBalancer = await describeLoadBalancer(elb, input.loadBalancerName);
    if (loadBalancer.instanceIds.length === 0) return input.emptyFleet === 'Allow' ? '' : 'no instance is registered';
    const fleet = await describeFleet(ssm, loadBalancer.instanceIds, { key: input.tagKey, value: input.tagValue });
    return fleet.unready.map(({ instanceId, why }) => `${instanceId} is ${why}`).join(', ');
  } catch (error) {
    if (error instanceof LoadBalancerNotFoundError) return error.message;
    throw error;
  }
}
