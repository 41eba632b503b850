/** Bring every instance port's policies to what is wanted, and read each back. Only lists that change are written. */
import { ProxyflipError } from '../../shared/errors.ts';
import { awaitInvocations, unconfirmed } from '../../shared/invocations.ts';
import { POLICY_NAME, planPolicies } from '../../shared/policies.ts';
import { parseInstancePorts } from '../../shared/ports.ts';
import { readState, requireState, StateLostError, writeState } from '../../shared/switch-state.ts';
import { createPolicy, deletePolicy, describeLoadBalancer, setPolicies as writePolicies } from '../classic-elb.ts';
import { asksForReceiver } from '../gates.ts';
import type { InputOf } from '../input.ts';
import { ReceiverError } from './confirm-receivers.ts';
import type { Deps } from './deps.ts';

export interface SetPoliciesAnswer {
  /** Instance ports whose list was written. */
  readonly changed: readonly string[];
  readonly policyName: string;
}

export async function setPolicies(
  { elb, ssm, clock, log }: Deps,
  input: InputOf<'SetPolicies'>,
): Promise<SetPoliciesAnswer> {
  const { loadBalancerName } = input;
  const stored = await requireState(ssm, clock, loadBalancerName, input.executionId);
  const { state } = stored;
  const before = await describeLoadBalancer(elb, loadBalancerName);
  // Registered once more right before the first write: who came since the receivers were asked has not been prepared.
  const invocations = await awaitInvocations(ssm, clock, state.bothCommandId ?? '', before.instanceIds, 0);
  const { notAsked, failed } = unconfirmed(before.instanceIds, invocations, 'both');
  // All that were registered before are confirmed by that command. Behind a health check that asks the receiver, one that was
  // registered since gets no connection before it has joined, and it joins in `both`.
  const mayJoin = state.bothCommandId !== undefined && asksForReceiver(before);
  const newcomers = mayJoin ? [] : notAsked.map((instanceId) => ({ instanceId, why: 'was registered meanwhile' }));
  const unprepared = [...failed, ...newcomers];
  if (unprepared.length > 0) throw new ReceiverError('both', before.instanceIds.length, unprepared);

  const wanted = input.direction === 'enable' ? parseInstancePorts(state.instancePorts).map((each) => each.port) : [];
  const { create, attachments, remove } = planPolicies(before.policies, wanted);
  // A policy that is to be made is to be attached, too.
  if (!remove && attachments.length === 0) return { changed: [], policyName: POLICY_NAME };

  // Written before the first write, so that an undo after any stop knows that policies may have been touched; and refused where
  // the undo has begun already.
  const touching = await writeState(ssm, loadBalancerName, stored, { ...state, phase: 'policies' });
  if (create) {
    try {
      await createPolicy(elb, loadBalancerName);
    } catch (error) {
      // A policy that no port carries changes nothing: receivers may go back to what they were.
      await writeState(ssm, loadBalancerName, touching, state);
      throw error;
    }
  }
  for (const { instancePort, policyNames } of attachments) {
    // A cancelled execution's step goes on by itself: not beyond the port that it is at.
    await requirePhase(input.executionId);
    log('set policies', { loadBalancerName, instancePort, policyNames });
    await writePolicies(elb, loadBalancerName, instancePort, policyNames);
    const { policies } = await describeLoadBalancer(elb, loadBalancerName);
    const readBack = policies.byPort.get(instancePort) ?? [];
    if (!isSameSet(readBack, policyNames)) throw new ReadBackError(instancePort, policyNames, readBack);
  }
  if (remove) {
    await requirePhase(input.executionId);
    await deletePolicy(elb, loadBalancerName);
  }
  return { changed: attachments.map(({ instancePort }) => String(instancePort)), policyName: POLICY_NAME };

  async function requirePhase(executionId: string): Promise<void> {
    const now = await readState(ssm, loadBalancerName);
    if (now?.state.executionId !== executionId || now.state.phase !== 'policies') {
      throw new StateLostError(loadBalancerName, executionId, now?.state);
    }
  }
}

/** The service says nothing about the order of the names. */
function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((each) => b.includes(each));
}

class ReadBackError extends ProxyflipError {
  constructor(instancePort: number, wrote: readonly string[], found: readonly string[]) {
    super(
      'ERR_POLICY_READ_BACK',
      `instance port ${instancePort} was given the policies [${wrote.join(', ')}] and has [${found.join(', ')}]. Somebody else writes them too: find out who (CloudTrail, SetLoadBalancerPoliciesForBackendServer), then run again.`,
    );
  }
}
