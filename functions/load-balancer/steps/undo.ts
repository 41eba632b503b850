/**
 * After a failure or a cancellation: the mode in which the receivers serve whatever the load balancer sends now. It takes no
 * policy back: both sides would be in motion again, and nobody watching.
 */
import { deleteState, type ReceiverMode, readState, writeState } from '../../shared/switch-state.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import type { InputOf } from '../input.ts';
import type { Deps } from './deps.ts';

export interface UndoAnswer {
  /** `no`: this execution changed nothing, so there is nothing to restore. */
  readonly restore: 'yes' | 'no';
  readonly mode: ReceiverMode;
  readonly instancePorts: string;
  readonly trustedCidrs: string;
  readonly summary: string;
}

const NOTHING: UndoAnswer = {
  restore: 'no',
  mode: 'both',
  instancePorts: '',
  trustedCidrs: '',
  summary: 'Nothing was changed by this execution.',
};

export async function undo({ elb, ssm, log }: Deps, input: InputOf<'Undo'>): Promise<UndoAnswer> {
  const { loadBalancerName, executionId } = input;
  const stored = await readState(ssm, loadBalancerName);
  if (stored?.state.executionId !== executionId) {
    // Begin refused, or was stopped before it took the state: whatever the parameter says is another's.
    return NOTHING;
  }
  const { state } = stored;
  if (state.phase === 'done') return NOTHING;
  if (state.phase === 'started') {
    // A load balancer that was never switched is forgotten, so that a stack's Delete finds nothing to do.
    if (state.mode === 'plain' && state.settled === undefined) await deleteState(ssm, loadBalancerName);
    else await writeState(ssm, loadBalancerName, { ...state, phase: 'done' });
    return { ...NOTHING, summary: `Stopped before anything was changed at ${loadBalancerName} or on an instance.` };
  }
  const mode = (await arePoliciesAsBefore()) ? state.mode : 'both';
  await writeState(ssm, loadBalancerName, { ...state, phase: 'undone', mode });
  const policies = mode === 'both' ? 'policies may have been changed' : 'no policy was changed';
  return {
    restore: 'yes',
    mode,
    instancePorts: state.bothPorts,
    trustedCidrs: state.trustedCidrs ?? '',
    summary: `Stopped: ${policies} at ${loadBalancerName}, and receivers go to ${mode}, which serves. Run the runbook again with Direction ${state.direction} to finish, or with ${state.direction === 'enable' ? 'disable' : 'enable'} to go back.`,
  };

  async function arePoliciesAsBefore(): Promise<boolean> {
    if (state.phase === 'receivers') return true;
    try {
      const { policies: now } = await describeLoadBalancer(elb, loadBalancerName);
      const ports = new Set([...now.byPort.keys(), ...Object.keys(state.before).map(Number)]);
      return [...ports].every((port) => {
        const then = state.before[String(port)] ?? [];
        const names = now.byPort.get(port) ?? [];
        return names.length === then.length && then.every((name) => names.includes(name));
      });
    } catch (error) {
      log('cannot compare policies, so receivers go to both', { loadBalancerName, error: String(error) });
      return false;
    }
  }
}
