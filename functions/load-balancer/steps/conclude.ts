/**
 * After the loop: which mode the receivers take now. The verdict is read from the state, not from the loop's last step: a loop
 * that ran out of rounds has none, and then the receivers stay in `both`.
 */

import { isOn } from '../../shared/policies.ts';
import { parseInstancePorts } from '../../shared/ports.ts';
import { type ReceiverMode, requireState, type SwitchState } from '../../shared/switch-state.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import type { InputOf } from '../input.ts';
import { tellJoining } from '../joining.ts';
import { describeNeighbours } from '../neighbours.ts';
import { modeFor } from '../wish.ts';
import type { Deps } from './deps.ts';

export interface ConcludeAnswer {
  readonly mode: ReceiverMode;
  readonly instancePorts: string;
  readonly warning: string;
  readonly measured: string;
  readonly assumed: string;
}

export async function conclude(deps: Deps, input: InputOf<'Conclude'>): Promise<ConcludeAnswer> {
  const { ssm, clock } = deps;
  const { loadBalancerName } = input;
  const { state } = await requireState(ssm, clock, loadBalancerName, input.executionId);
  const answer = await decide(deps, input, state);
  const { mode, instancePorts } = answer;
  // Before the receivers take it: one that joins after the command was sent is not among those that are told.
  await tellJoining(ssm, loadBalancerName, { mode, instancePorts, trustedCidrs: state.trustedCidrs ?? '' });
  return answer;
}

async function decide({ elb }: Deps, input: InputOf<'Conclude'>, state: SwitchState): Promise<ConcludeAnswer> {
  const answer = { instancePorts: state.instancePorts, measured: state.measured ?? '', assumed: state.assumed ?? '' };
  if (state.verdict !== 'final') {
    return {
      ...answer,
      mode: 'both',
      warning: `Receivers stay in both: ${state.remaining || 'measuring did not end'}.`,
    };
  }
  if (input.finalMode === 'both') return { ...answer, mode: 'both', warning: '' };
  const loadBalancer = await describeLoadBalancer(elb, input.loadBalancerName);
  const ports = parseInstancePorts(state.instancePorts);
  const mode = modeFor(
    loadBalancer.policies,
    ports.map((each) => each.port),
  );
  // A receiver's mode follows all load balancers of its instance.
  const neighbours = await describeNeighbours(elb, loadBalancer, ports);
  const against = neighbours.filter((each) =>
    each.ports.some((port) => isOn(each.policies, port) !== (mode === 'proxy')),
  );
  if (mode !== 'both' && against.length > 0) {
    const names = against.map((each) => each.loadBalancerName).join(', ');
    return {
      ...answer,
      mode: 'both',
      warning: `Receivers stay in both: ${names} shares instances and sends the other kind.`,
    };
  }
  const warning = mode === input.finalMode ? '' : `Receivers go to ${mode}, since policies that are not ours stay on.`;
  return { ...answer, mode, warning };
}
