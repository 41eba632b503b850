/**
 * After a failure or a cancellation: the mode in which the receivers serve whatever the load balancer sends now. It takes no
 * policy back: both sides would be in motion again, and nobody watching.
 *
 * The step that was cancelled may still be at work, since a Lambda invocation cannot be ended. Whatever it writes to the state from
 * here on is refused (writeState), and a step that finds its write refused changes nothing.
 */
import {
  deleteState,
  type ReceiverMode,
  readState,
  StateLostError,
  type StoredState,
  writeState,
} from '../../shared/switch-state.ts';
import type { InputOf } from '../input.ts';
import { tellJoining } from '../joining.ts';
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

/** A cancelled step writes once more at most before it is refused. */
const ATTEMPTS = 3;

export async function undo(
  deps: Deps,
  input: Pick<InputOf<'Undo'>, 'loadBalancerName' | 'executionId'>,
): Promise<UndoAnswer> {
  for (let attempt = 1; ; attempt += 1) {
    const stored = await readState(deps.ssm, input.loadBalancerName);
    // Begin refused, or was stopped before it took the state: whatever the parameter says is another's.
    if (stored?.state.executionId !== input.executionId) return NOTHING;
    try {
      return await undoFrom(deps, input.loadBalancerName, stored);
    } catch (error) {
      if (!(error instanceof StateLostError) || attempt === ATTEMPTS) throw error;
    }
  }
}

async function undoFrom({ ssm, log }: Deps, loadBalancerName: string, stored: StoredState): Promise<UndoAnswer> {
  const { state } = stored;
  switch (state.phase) {
    case 'done':
      return NOTHING;
    case 'started':
      await writeState(ssm, loadBalancerName, stored, state.displaced ?? { ...state, phase: 'done' });
      // A load balancer that was never switched is forgotten, so that a stack's Delete finds nothing to do.
      if (state.displaced === undefined && state.mode === 'plain' && state.settled === undefined)
        await deleteState(ssm, loadBalancerName);
      return { ...NOTHING, summary: `Stopped before anything was changed at ${loadBalancerName} or on an instance.` };
    case 'receivers':
    case 'policies':
    case 'measuring':
    case 'undone': {
      // `undone` comes again where the answer to the first time was lost; the mode was written then.
      const mode = state.phase === 'receivers' || state.phase === 'undone' ? state.mode : 'both';
      await writeState(ssm, loadBalancerName, stored, { ...state, phase: 'undone', mode });
      const policies = mode === 'both' ? 'policies may have been changed' : 'no policy was changed';
      const restored = { mode, instancePorts: state.bothPorts, trustedCidrs: state.trustedCidrs ?? '' };
      // What it says otherwise is `both`, or a mode that was measured to be right: no reason to leave the receivers as they are.
      await tellJoining(ssm, loadBalancerName, restored).catch((error: Error) =>
        log('instances that come later were not told', { loadBalancerName, error: error.message }),
      );
      const back = state.direction === 'enable' ? 'disable' : 'enable';
      return {
        restore: 'yes',
        ...restored,
        summary: `Stopped: ${policies} at ${loadBalancerName}, and receivers go to ${mode}, which serves. Run the runbook again with Direction ${state.direction} to finish, or with ${back} to go back.`,
      };
    }
    default: {
      const never: never = state.phase;
      throw new TypeError(`no such phase: ${never}`);
    }
  }
}
