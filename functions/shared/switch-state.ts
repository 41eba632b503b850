/**
 * The state parameter: lock and memory of one load balancer, `/proxyflip/<load balancer name>`.
 *
 * PutParameter without Overwrite is atomic, so of two that create it one wins. Everything after that is written by the one
 * execution that the parameter names; another may take it over only from an execution that has ended.
 */
import {
  DeleteParameterCommand,
  GetAutomationExecutionCommand,
  GetParameterCommand,
  PutParameterCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import type { Clock } from './clock.ts';
import { ProxyflipError, serviceErrorName } from './errors.ts';

export type ReceiverMode = 'plain' | 'both' | 'proxy';
export type Direction = 'enable' | 'disable';
export type Verdict = 'wait' | 'final' | 'both';

export interface SwitchState {
  readonly version: 1;
  /** Who may change this load balancer: a stack's resource, or `console` for a person. */
  readonly owner: string;
  readonly executionId: string;
  readonly startedBy: string;
  readonly direction: Direction;
  /** `started`: only looked. `receivers`: those may have been changed; `policies`: those too. `measuring`, then `done` or `undone`. */
  readonly phase: 'started' | 'receivers' | 'policies' | 'measuring' | 'done' | 'undone';
  /** Of the receivers when they were last known to agree; what an undo without a touched policy goes back to. */
  readonly mode: ReceiverMode;
  /** ISO 8601. */
  readonly startedAt: string;
  /** `80=http 81=https`: what the receivers serve at the end. */
  readonly instancePorts: string;
  /** Those and the ones that lose the policy in this run: what must accept both on the way. */
  readonly bothPorts: string;
  /** As the receivers were told in this run. */
  readonly trustedCidrs?: string;
  /** The command that brought every registered instance to `both`, once that is confirmed. */
  readonly bothCommandId?: string;
  readonly policyName: string;
  /** Instance port → policy names as they were before the first run that did not end in `done`. */
  readonly before: Readonly<Record<string, readonly string[]>>;
  /** What the execution was started with, fleet tag and options, so that it can be run again just so. Absent: an older version wrote it. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** What the last run that ended in `done` left on the receivers, as a fingerprint of all that they were told. */
  readonly settled?: { readonly mode: ReceiverMode; readonly settings: string };
  /** ISO 8601, of the first round of measuring. */
  readonly measuringSince?: string;
  /** ISO 8601, since when each round has found every node to follow; see `isFollowed` in `load-balancer/judge.ts`. */
  readonly followedSince?: string;
  /** Of a run that has only looked: what the last one that ended in `done` had left here, which a refusal puts back. */
  readonly displaced?: SwitchState;
  readonly rounds?: number;
  readonly verdict?: Verdict;
  readonly measured?: string;
  readonly assumed?: string;
  readonly remaining?: string;
}

export interface StoredState {
  readonly state: SwitchState;
  /** Systems Manager's own, counted up by each write. */
  readonly parameterVersion: number;
}

/** Owner of a run that a person started; a stack may take such a load balancer over, and a person one of nobody. */
export const CONSOLE_OWNER = 'console';

const stateParameterName = (loadBalancerName: string): string => `/proxyflip/${loadBalancerName}`;

export async function readState(ssm: SSMClient, loadBalancerName: string): Promise<StoredState | undefined> {
  return readVersion(ssm, loadBalancerName, stateParameterName(loadBalancerName));
}

async function readVersion(ssm: SSMClient, loadBalancerName: string, name: string): Promise<StoredState | undefined> {
  try {
    const { Parameter: { Value = '', Version = 0 } = {} } = await ssm.send(new GetParameterCommand({ Name: name }));
    return { state: parseState(loadBalancerName, Value), parameterVersion: Version };
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterNotFound') return undefined;
    throw error;
  }
}

/** @returns false where the parameter is there already. */
export async function createState(ssm: SSMClient, loadBalancerName: string, state: SwitchState): Promise<boolean> {
  try {
    await put(ssm, loadBalancerName, state, false);
    return true;
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterAlreadyExists') return false;
    throw error;
  }
}

/**
 * Write the next state over the one that was read, if nobody has written since.
 *
 * PutParameter knows no condition, so two may both overwrite: two runs that take over at once; or a step that goes on after its
 * execution was cancelled (a Lambda invocation cannot be ended) and the undo that follows. The version that a write got tells:
 * exactly one of them is the next after the one read. The other puts the winner's value back and gives up.
 *
 * @throws StateLostError  somebody else has written; what they wrote stands
 */
export async function writeState(
  ssm: SSMClient,
  loadBalancerName: string,
  previous: StoredState,
  state: SwitchState,
): Promise<StoredState> {
  const written = await put(ssm, loadBalancerName, state, true);
  if (written === previous.parameterVersion + 1) return { state, parameterVersion: written };
  const name = stateParameterName(loadBalancerName);
  // Version 1: it was deleted meanwhile, and this write made it anew.
  const winner = written === 1 ? undefined : await readVersion(ssm, loadBalancerName, `${name}:${written - 1}`);
  // The SDK repeats a call whose answer was lost: then the one before was this same write.
  if (winner !== undefined && JSON.stringify(winner.state) === JSON.stringify(state)) {
    return { state, parameterVersion: written };
  }
  if (winner === undefined) await deleteState(ssm, loadBalancerName);
  else await put(ssm, loadBalancerName, winner.state, true);
  throw new StateLostError(loadBalancerName, state.executionId, winner?.state);
}

export async function deleteState(ssm: SSMClient, loadBalancerName: string): Promise<void> {
  try {
    await ssm.send(new DeleteParameterCommand({ Name: stateParameterName(loadBalancerName) }));
  } catch (error) {
    if (serviceErrorName(error) !== 'ParameterNotFound') throw error;
  }
}

/** Between the two writes of a lost take-over the parameter names the loser for a moment. Unit: milliseconds. */
const SETTLE_MS = 2_000;

/**
 * The state, if this execution holds it and has not ended.
 *
 * @throws StateLostError  it is gone, another execution holds it, or this one was undone: nothing may be changed any more
 */
export async function requireState(
  ssm: SSMClient,
  clock: Clock,
  loadBalancerName: string,
  executionId: string,
): Promise<StoredState> {
  let stored = await readState(ssm, loadBalancerName);
  if (stored?.state.executionId !== executionId) {
    await clock.sleep(SETTLE_MS);
    stored = await readState(ssm, loadBalancerName);
  }
  if (stored?.state.executionId === executionId && !['done', 'undone'].includes(stored.state.phase)) return stored;
  throw new StateLostError(loadBalancerName, executionId, stored?.state);
}

/** As `AutomationExecutionStatus` has it; anything else is still going on, or may be. */
const ENDED = new Set<string | undefined>([
  'Success',
  'TimedOut',
  'Cancelled',
  'Failed',
  'Rejected',
  'Exited',
  'CompletedWithSuccess',
  'CompletedWithFailure',
]);

export const hasEnded = (status: string | undefined): boolean => ENDED.has(status);

/** Executions are forgotten after 30 days: one that is not known has ended. */
export async function executionHasEnded(ssm: SSMClient, executionId: string): Promise<boolean> {
  try {
    const { AutomationExecution } = await ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: executionId }),
    );
    return hasEnded(AutomationExecution?.AutomationExecutionStatus);
  } catch (error) {
    if (serviceErrorName(error) === 'AutomationExecutionNotFoundException') return true;
    throw error;
  }
}

async function put(ssm: SSMClient, loadBalancerName: string, state: SwitchState, overwrite: boolean): Promise<number> {
  const { Version } = await ssm.send(
    new PutParameterCommand({
      Name: stateParameterName(loadBalancerName),
      // The description may only be given with the first write or it would be set again each time; harmless, and plain to read.
      Description: 'Lock and memory of proxyflip for this load balancer. Written by the Automation runbook.',
      Value: JSON.stringify(state),
      Type: 'String',
      Overwrite: overwrite,
      // 4 KB are enough but for a load balancer with very many policies; then 8 KB.
      Tier: 'Intelligent-Tiering',
    }),
  );
  return Version ?? 0;
}

/** @throws ERR_STATE_UNREADABLE  it is not a state that this version knows */
export function parseState(loadBalancerName: string, text: string): SwitchState {
  try {
    const state = JSON.parse(text) as SwitchState;
    if (state.version === 1 && typeof state.owner === 'string' && typeof state.executionId === 'string') return state;
  } catch {
    // Falls through: whatever it is, it is not ours to guess.
  }
  throw new ProxyflipError(
    'ERR_STATE_UNREADABLE',
    `the parameter ${stateParameterName(loadBalancerName)} does not hold a state that this version can read. If no execution of the runbook is running, delete it and run again.`,
  );
}

export class SwitchBusyError extends ProxyflipError {
  constructor(loadBalancerName: string, holder: SwitchState) {
    super(
      'ERR_SWITCH_BUSY',
      `execution ${holder.executionId} (${holder.direction}, started by ${holder.startedBy} at ${holder.startedAt}) is still working on ${loadBalancerName}. Wait until it has ended, or cancel it, then run again.`,
    );
  }
}

export class OtherOwnerError extends ProxyflipError {
  constructor(loadBalancerName: string, owner: string) {
    super(
      'ERR_OTHER_OWNER',
      `${loadBalancerName} belongs to ${owner}. Change it there; or delete it there with DeletionMode Retain, then run again.`,
    );
  }
}

export class StateLostError extends ProxyflipError {
  /** What the parameter holds instead; undefined = it is gone. */
  readonly holder: SwitchState | undefined;

  constructor(loadBalancerName: string, executionId: string, holder: SwitchState | undefined) {
    const found = holder === undefined ? 'is gone' : `names execution ${holder.executionId} in phase ${holder.phase}`;
    super(
      'ERR_STATE_LOST',
      `the parameter ${stateParameterName(loadBalancerName)} ${found}: execution ${executionId} was cancelled or taken over, and this step writes nothing more. Run again.`,
    );
    this.holder = holder;
  }
}
