/** Write down what was reached, or forget the load balancer where its owner has switched it off. */

import { POLICY_NAME } from '../../shared/policies.ts';
import {
  CONSOLE_OWNER,
  deleteState,
  type ReceiverMode,
  readState,
  requireState,
  type SwitchState,
  writeState,
} from '../../shared/switch-state.ts';
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
  const found = await readState(ssm, loadBalancerName);
  // Called again, since the answer to the first time was lost.
  if (found?.state.executionId === input.executionId && found.state.phase === 'done') {
    if (isForgotten(found.state, input)) await deleteState(ssm, loadBalancerName);
    return answerFrom(found.state, input);
  }
  // And where that had forgotten the load balancer. Nobody else deletes the state of an execution that has come as far as this.
  if (found === undefined && mode === 'plain') return answerFrom(undefined, input);

  const stored = await requireState(ssm, clock, loadBalancerName, input.executionId);
  const { state } = stored;
  const { measuringSince: _, followedSince: __, rounds: ___, verdict: ____, displaced: _____, ...rest } = state;
  await writeState(ssm, loadBalancerName, stored, {
    ...rest,
    phase: 'done',
    mode,
    settled: { mode, settings: fingerprint(input.settings) },
  });
  // Only behind the write, which fails where an undo has begun: deleting knows no version.
  if (isForgotten(state, input)) await deleteState(ssm, loadBalancerName);
  return answerFrom(state, input);
}

/** A person who switches a stack's load balancer off does not take it from the stack. */
function isForgotten({ direction, owner }: SwitchState, input: InputOf<'Finish'>): boolean {
  const asker = input.owner === '' ? CONSOLE_OWNER : input.owner;
  return direction === 'disable' && input.mode === 'plain' && asker === owner;
}

/** @param state  undefined = the load balancer is forgotten already, and with it what is not in the input */
function answerFrom(state: SwitchState | undefined, { loadBalancerName, mode }: InputOf<'Finish'>): FinishAnswer {
  const {
    instancePorts = '',
    policyName = POLICY_NAME,
    assumed = '',
    startedBy = 'nobody known any more',
  } = state ?? {};
  const side = state?.direction === 'enable' ? 'on' : 'off';
  return {
    mode,
    instancePorts,
    policyName,
    assumed,
    summary: `PROXY protocol is ${side} at instance ports ${instancePorts || 'none'} of ${loadBalancerName}; receivers are in ${mode}. Started by ${startedBy}.${assumed === '' ? '' : ` Assumed: ${assumed}.`}${mode === 'both' ? ' Run the runbook again to make the receivers strict.' : ''}`,
  };
}
