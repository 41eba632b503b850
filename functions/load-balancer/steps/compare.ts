/**
 * Join what the receivers say of themselves with what is wanted: is all so already, and where does an undo go back to?
 * Of a plan it is the answer; of a run it keeps the receivers' mode as it was.
 */
import { createHash } from 'node:crypto';
import { ProxyflipError } from '../../shared/errors.ts';
import { answerOf, awaitInvocations, complaintOf, type Invocation, wordsOf } from '../../shared/invocations.ts';
import { planPolicies } from '../../shared/policies.ts';
import { parseInstancePorts } from '../../shared/ports.ts';
import { type ReceiverMode, readState, requireState, type SwitchState, writeState } from '../../shared/switch-state.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import { refuse } from '../gates.ts';
import type { InputOf } from '../input.ts';
import { tellJoining } from '../joining.ts';
import { modeFor } from '../wish.ts';
import type { Deps } from './deps.ts';

const LIST_WAIT_MS = 20_000;

export const fingerprint = (settings: string): string => createHash('sha256').update(settings).digest('hex');

export interface CompareAnswer {
  /** Of a run, whether there is anything to do; `report` = it was only to be planned. */
  readonly next: 'finish' | 'switch' | 'report';
  readonly already: 'yes' | 'no';
  /** `i-0123: plain, i-0456: not installed`. */
  readonly receivers: string;
  /** Of a plan: which files of the receivers would be made and changed, as far as an answer holds it; else empty. */
  readonly differences: string;
}

export async function compare({ elb, ssm, clock }: Deps, input: InputOf<'Compare'>): Promise<CompareAnswer> {
  const loadBalancer = await describeLoadBalancer(elb, input.loadBalancerName);
  const invocations = await awaitInvocations(ssm, clock, input.commandId, loadBalancer.instanceIds, LIST_WAIT_MS);
  const reports = loadBalancer.instanceIds.map((instanceId) => readReport(instanceId, invocations.get(instanceId)));
  const ports = parseInstancePorts(input.instancePorts).map((each) => each.port);
  // A policy that is to be made is to be attached, too.
  const { attachments, remove } = planPolicies(loadBalancer.policies, input.direction === 'enable' ? ports : []);
  const policiesAreSo = !remove && attachments.length === 0;
  const held = input.planOnly ? undefined : await requireState(ssm, clock, input.loadBalancerName, input.executionId);
  const known = held ?? (await readState(ssm, input.loadBalancerName));
  const already = policiesAreSo && areSettled(reports, input, known?.state.settled);
  // What stands against a change is no obstacle where there is none to make.
  if (!already) refuse(reports.flatMap(checkReport));
  const answer = {
    already: already ? 'yes' : 'no',
    receivers: reports
      .map(({ instanceId, mode }) => `${instanceId}: ${mode === 'none' ? 'not installed' : (mode ?? 'unknown')}`)
      .join(', '),
    differences: input.planOnly ? describeDifferences(invocations) : '',
  } as const;
  if (held === undefined) return { next: 'report', ...answer };
  const { loadBalancerName, trustedCidrs } = input;
  if (already) {
    const { instancePorts, finalMode } = input;
    await tellJoining(ssm, loadBalancerName, { mode: finalMode, instancePorts, trustedCidrs });
    return { next: 'finish', ...answer };
  }

  // From here on receivers may be changed: what an undo needs is written first.
  const { displaced: _, ...state } = held.state;
  await writeState(ssm, loadBalancerName, held, {
    ...state,
    phase: 'receivers',
    mode: undoMode(reports, modeFor(loadBalancer.policies, ports)),
    trustedCidrs,
  });
  await tellJoining(ssm, loadBalancerName, { mode: 'both', instancePorts: held.state.bothPorts, trustedCidrs });
  return { next: 'switch', ...answer };
}

/** What one receiver said of itself, before anything is changed. */
interface Report {
  readonly instanceId: string;
  /** `none`: no receiver of ours is there. undefined = it did not say. */
  readonly mode: ReceiverMode | 'none' | undefined;
  /** Whether what the last SetMode left there is still so; one of an older version does not say. */
  readonly intact: boolean;
  /** Why this instance could not be switched, in the receiver's own words. */
  readonly problems: readonly string[];
}

function readReport(instanceId: string, invocation: Invocation | undefined): Report {
  const answer = invocation === undefined ? undefined : answerOf(invocation);
  const { mode, problems, intact } = answer ?? {};
  const unreached = invocation !== undefined && !['Success', 'Failed'].includes(invocation.status);
  return {
    instanceId,
    mode: isReported(mode) ? mode : undefined,
    intact: intact !== false,
    problems: [
      ...(unreached ? [`the command did not end there (${invocation.statusDetails || invocation.status})`] : []),
      ...(Array.isArray(problems) ? problems.map(String) : []),
      // It could not even say what it is: an agent that is too old hands no parameter over.
      ...(invocation?.status === 'Failed' && answer === undefined ? [complaintOf(invocation)] : []),
    ],
  };
}

const checkReport = ({ instanceId, problems }: Report): ReceiverGateError[] =>
  problems.map((problem) => new ReceiverGateError('ERR_RECEIVER_GATE', `${instanceId}: ${problem}`));

/** The same on most instances: each text once, under those that it is of. */
function describeDifferences(invocations: ReadonlyMap<string, Invocation>): string {
  const instances = new Map<string, string[]>();
  for (const invocation of invocations.values()) {
    const text = wordsOf(invocation);
    instances.set(text, [...(instances.get(text) ?? []), invocation.instanceId]);
  }
  return [...instances]
    .map(([text, ids]) => `${ids.join(', ')}:\n${text === '' ? 'no file would be changed' : text}`)
    .join('\n\n');
}

/** Receivers that disagree with each other, or with what the load balancer sends, are not a state to go back to. */
function undoMode(reports: readonly Report[], sent: ReceiverMode): ReceiverMode {
  if (reports.every(({ mode }) => mode === 'none')) return sent === 'plain' ? 'plain' : 'both';
  return reports.every(({ mode }) => mode === sent) ? sent : 'both';
}

function areSettled(reports: readonly Report[], input: InputOf<'Compare'>, settled: SwitchState['settled']): boolean {
  if (reports.length === 0) return false;
  // An instance without a receiver takes plain connections as it is, and is not given one in order to do so.
  const isSo = ({ mode, intact }: Report): boolean =>
    intact && (mode === input.finalMode || (mode === 'none' && input.finalMode === 'plain'));
  if (!reports.every(isSo)) return false;
  // After a disable by its owner nothing is remembered, and `plain` without a policy is the same whoever made it so.
  return input.finalMode === 'plain' || settled?.settings === fingerprint(input.settings);
}

function isReported(value: unknown): value is ReceiverMode | 'none' {
  return value === 'none' || value === 'plain' || value === 'both' || value === 'proxy';
}

/** The receiver itself found that it cannot be switched. */
class ReceiverGateError extends ProxyflipError {}
