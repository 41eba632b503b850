/** A load balancer that we had switched and that has been deleted since: there is nothing left to switch, only a memory to clear. */
import { deleteState, requireState } from '../../shared/switch-state.ts';
import type { InputOf } from '../input.ts';
import type { Deps } from './deps.ts';

export async function forget({ ssm, clock }: Deps, input: InputOf<'Forget'>): Promise<{ summary: string }> {
  await requireState(ssm, clock, input.loadBalancerName, input.executionId);
  await deleteState(ssm, input.loadBalancerName);
  return {
    summary: `${input.loadBalancerName} does not exist any more and is forgotten; the receivers were left as they are.`,
  };
}
