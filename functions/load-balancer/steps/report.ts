/** Which state both sides are in, in words for a person. Reads only, holds nothing, and refuses nothing. */

import { answerOf, awaitInvocations, complaintOf, type Invocation } from '../../shared/invocations.ts';
import { isOn } from '../../shared/policies.ts';
import { readState, type SwitchState } from '../../shared/switch-state.ts';
import { describeLoadBalancer, type LoadBalancer, LoadBalancerNotFoundError } from '../classic-elb.ts';
import type { InputOf } from '../input.ts';
import type { Deps } from './deps.ts';

const LIST_WAIT_MS = 20_000;

export interface ReportAnswer {
  /** `80: [proxyflip-proxy-protocol], PROXY protocol on`, a line for each instance port that a listener feeds or a policy is on. */
  readonly instancePorts: string;
  /** `i-0123: proxy`, a line for each registered instance, with what stands against a switch. */
  readonly receivers: string;
  /** Of the state parameter: who owns the switch, which execution was the last, how it ended. */
  readonly state: string;
  /** In one sentence, whether the two sides agree, and what to run if they do not. */
  readonly summary: string;
}

export async function report({ elb, ssm, clock }: Deps, input: InputOf<'Report'>): Promise<ReportAnswer> {
  const { loadBalancerName, commandId } = input;
  const state = (await readState(ssm, loadBalancerName))?.state;
  let loadBalancer: LoadBalancer;
  try {
    loadBalancer = await describeLoadBalancer(elb, loadBalancerName);
  } catch (error) {
    if (!(error instanceof LoadBalancerNotFoundError)) throw error;
    const summary = `There is no load balancer ${loadBalancerName} in this account and Region.`;
    return { instancePorts: 'none', receivers: 'none', state: describeState(state), summary };
  }
  const invocations = await awaitInvocations(ssm, clock, commandId, loadBalancer.instanceIds, LIST_WAIT_MS);
  const receivers = loadBalancer.instanceIds.map((instanceId) => ({
    instanceId,
    ...describeReceiver(invocations.get(instanceId)),
  }));
  const ports = portsOf(loadBalancer);
  return {
    instancePorts: ports.map((port) => describePort(loadBalancer, port)).join('\n') || 'none',
    receivers:
      receivers.map(({ instanceId, words }) => `${instanceId}: ${words}`).join('\n') || 'no instance is registered',
    state: describeState(state),
    summary: conclude(
      ports.map((port) => isOn(loadBalancer.policies, port)),
      receivers.map(({ mode }) => mode),
    ),
  };
}

/** Those that listeners feed over TCP, and those with a policy: policies outlive their listener. */
function portsOf({ listeners, policies }: LoadBalancer): number[] {
  const fed = listeners.filter(({ instanceProtocol }) => instanceProtocol === 'TCP').map((each) => each.instancePort);
  return [...new Set([...fed, ...policies.byPort.keys()])].sort((a, b) => a - b);
}

function describePort({ listeners, policies }: LoadBalancer, port: number): string {
  const names = policies.byPort.get(port) ?? [];
  const feeders = listeners.filter((each) => each.instancePort === port).map((each) => each.loadBalancerPort);
  const fed = feeders.length === 0 ? 'no listener feeds it' : `fed by listener ${feeders.join(', ')}`;
  return `${port}: PROXY protocol ${isOn(policies, port) ? 'on' : 'off'}, policies [${names.join(', ')}], ${fed}`;
}

function describeReceiver(invocation: Invocation | undefined): { mode: string | undefined; words: string } {
  if (invocation === undefined) return { mode: undefined, words: 'was not reached; it may lack the tag or the agent' };
  const answer = answerOf(invocation);
  if (answer === undefined) {
    return { mode: undefined, words: `did not say (${invocation.status}): ${complaintOf(invocation)}` };
  }
  const { mode, ready, problems } = answer;
  const against = Array.isArray(problems) && problems.length > 0 ? `; against a switch: ${problems.join('; ')}` : '';
  const readiness = mode === 'none' || ready !== false ? '' : ', not ready';
  const words = `${mode === 'none' ? 'not installed' : String(mode)}${readiness}${against}`;
  return { mode: String(mode), words };
}

function describeState(state: SwitchState | undefined): string {
  if (state === undefined) return 'Nobody has switched it, or its owner has switched it off.';
  const { direction, executionId, owner, phase, startedAt, startedBy } = state;
  return `Owner ${owner}. Last execution ${executionId}: ${direction}, phase ${phase}, started by ${startedBy} at ${startedAt}.`;
}

/** @param on  per instance port @param modes  per registered instance; undefined = not known */
export function conclude(on: readonly boolean[], modes: readonly (string | undefined)[]): string {
  const sent = on.every((each) => each) ? 'on' : on.some((each) => each) ? 'on at some instance ports' : 'off';
  const found = [...new Set(modes.map((mode) => mode ?? 'unknown'))];
  const sides = `PROXY protocol is ${on.length === 0 ? 'off' : sent}; receivers are in ${found.join(' and ') || 'no mode'}`;
  const strict = found.length === 1 ? found[0] : undefined;
  if (found.includes('unknown')) return `${sides}: what cannot be seen has to be reached first.`;
  if (strict === 'proxy' && sent === 'on' && on.length > 0) return `${sides}: both sides agree.`;
  if ((strict === 'plain' || strict === 'none') && (sent === 'off' || on.length === 0))
    return `${sides}: both sides agree.`;
  if (strict === 'both') return `${sides}: all is served, and no address is trusted. Run the switch runbook to finish.`;
  return `${sides}: they do not agree. Run the switch runbook with the direction that is wanted.`;
}
