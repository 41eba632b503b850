/** Write down what was reached, or forget the load balancer where its owner has switched it off. */
import { deleteState, type ReceiverMode, requireState, writeState } from '../../shared/switch-state.ts';
import type { InputOf } from '../input.ts';
import { fingerprint } from './compare.ts';
import type { Deps } from './deps.ts';

export interface FinishAnswer {
  readonly mode: ReceiverMode;
  readonly instancePorts: string;
  readonly policyName: string;
  readonly assumed: string;
  readonly summary: string;
}

export async function finish({ ssm, clock }: Deps, input: InputOf<'Finish'>): Promise<FinishAnswer> {
  const { loadBalancerName, mode } = input;
  const stored = await requireState(ssm, clock, loadBalancerName, input.executionId);
  const { state } = stored;
  // A person who switches a stack's load balancer off does not take it from the stack.
  const forget =
    state.direction === 'disable' && mode === 'plain' && (input.owner === '' ? 'console' : input.owner) === state.owner;
  const { measuringSince: _, followedSince: __, rounds: ___, verdict: ____, ...rest } = state;
  await writeState(ssm, loadBalancerName, stored, {
    ...rest,
    phase: 'done',
    mode,
    settled: { mode, settings: fingerprint(input.settings) },
  });
  // Only behind the write, which fails where an undo has begun: deleting knows no version.
  if (forget) await deleteState(ssm, loadBalancerName);
  const { instancePorts, policyName, startedBy } = state;
  const assumed = state.assumed ?? '';
  const side = state.direction === 'enable' ? 'on' : 'off';
  return {
    mode,
    instancePorts,
    policyName,
    assumed,
    summary: `PROXY protocol is ${side} at instance ports ${instancePorts || 'none'} of ${loadBalancerName}; receivers are in ${mode}. Started by ${startedBy}.${assumed === '' ? '' : ` Assumed: ${assumed}.`}${mode === 'both' ? ' Run the runbook again to make the receivers strict.' : ''}`,
  };
}
