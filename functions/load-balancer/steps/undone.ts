/** After the receivers were asked to go back: say where each is, and forget a load balancer that was never changed. */

import { awaitInvocations, unconfirmed } from '../../shared/invocations.ts';
import { deleteState, readState } from '../../shared/switch-state.ts';
import { describeLoadBalancer, LoadBalancerNotFoundError } from '../classic-elb.ts';
import type { InputOf } from '../input.ts';
import type { Deps } from './deps.ts';

/** A cancellation gives its steps two minutes in all. */
const LIST_WAIT_MS = 5_000;

export async function undone({ elb, ssm, clock }: Deps, input: InputOf<'Undone'>): Promise<{ summary: string }> {
  const stored = await readState(ssm, input.loadBalancerName);
  if (stored?.state.executionId !== input.executionId) return { summary: 'Nothing was changed by this execution.' };
  const { state } = stored;
  const instanceIds = await registered();
  const invocations = await awaitInvocations(ssm, clock, input.commandId, instanceIds, LIST_WAIT_MS);
  const { notAsked, failed } = unconfirmed(instanceIds, invocations, input.mode);
  const open = [...notAsked, ...failed.map((each) => each.instanceId)];
  if (open.length === 0 && input.mode === 'plain' && state.direction === 'enable' && state.settled === undefined) {
    await deleteState(ssm, input.loadBalancerName);
  }
  return {
    summary:
      open.length === 0
        ? `All ${instanceIds.length} registered instances are in ${input.mode}.`
        : `${instanceIds.length - open.length} of ${instanceIds.length} registered instances are in ${input.mode}; not yet: ${open.join(', ')}. Each serves in the mode it is in, unless it is out of order itself.`,
  };

  async function registered(): Promise<readonly string[]> {
    try {
      return (await describeLoadBalancer(elb, input.loadBalancerName)).instanceIds;
    } catch (error) {
      if (error instanceof LoadBalancerNotFoundError) return [];
      throw error;
    }
  }
}
