/**
 * After the loop: which mode the receivers take now. The verdict is read from the state, not from the loop's last step: a loop
 * that ran out of rounds has none, and then the receivers stay in `both`.
 */
import { type ReceiverMode, requireState } from '../../shared/switch-state.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import type { InputOf } from '../input.ts';
import { describeNeighbours } from '../neighbours.ts';
import { isOn } from '../policies.ts';
import { parseInstancePorts } from '../ports.ts';
import { modeFor } from '../wish.ts';
import type { Deps } from './deps.ts';

export async function conclude(
  { elb, ssm, clock }: Deps,
  input: InputOf<'Conclude'>,
): Promise<{ mode: ReceiverMode; instancePorts: string; warning: string; measured: string; assumed: string }> {
  const { state } = await requireState(ssm, clock, input.loadBalancerName, input.executionId);
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
