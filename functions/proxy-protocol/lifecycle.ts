/** Create, Update and Delete. Each may be entered again at any point, with the same event, and goes on from there. */
import type { AutomationExecution, SSMClient } from '@aws-sdk/client-ssm';
import type {
  CloudFormationCustomResourceCreateEvent,
  CloudFormationCustomResourceDeleteEvent,
  CloudFormationCustomResourceEvent,
  CloudFormationCustomResourceUpdateEvent,
} from 'aws-lambda';
import type { Clock } from '../shared/clock.ts';
import { messageOf, serviceErrorName } from '../shared/errors.ts';
import type { Log } from '../shared/log.ts';
import { CONSOLE_OWNER, type Direction, readState, type StoredState, writeState } from '../shared/switch-state.ts';
import type { Answer } from './cfn-response.ts';
import { describeFailure, getExecution, isRunning, outputOf, startExecution, stopExecution } from './execution.ts';
import { physicalResourceId } from './physical-resource-id.ts';
import { type Properties, parseProperties } from './properties.ts';
import { forget, type RequestMemory, recall, remember } from './request-memory.ts';

export interface LifecycleDeps {
  readonly ssm: SSMClient;
  readonly clock: Clock;
  readonly log: Log;
  /** Of the Automation runbook. */
  readonly documentName: string;
  /** Milliseconds since the epoch: then the function hands on to its next invocation. */
  readonly invocationEndsAt: number;
}

export type Outcome =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** The invocation is over, the work is not. */
  | { readonly kind: 'wait on' }
  /** CloudFormation has sent another request since, and waits for no answer to this one. */
  | { readonly kind: 'superseded' };

const POLL_MS = 5_000;
/** Between our last word and CloudFormation's patience. */
const MARGIN_MS = 60_000;
const DEFAULT_SERVICE_TIMEOUT_SECONDS = 3600;

export async function serve(deps: LifecycleDeps, event: CloudFormationCustomResourceEvent): Promise<Outcome> {
  const recalled = await recall(deps.ssm, event, deps.clock.now() + patienceMs(event));
  if (recalled.kind === 'superseded') return recalled;
  const { memory } = recalled;
  const run = new Run(deps, event, memory);
  try {
    // A request that comes while the one before is still at work: CloudFormation has given that up.
    if (memory.previousExecutionId !== undefined) await run.stopAndAwait(memory.previousExecutionId);
    switch (event.RequestType) {
      case 'Create':
      case 'Update':
        return await enable(run, event);
      case 'Delete':
        return await remove(run, event);
      default: {
        const never: never = event;
        throw new TypeError(`no such RequestType: ${JSON.stringify((never as { RequestType?: unknown }).RequestType)}`);
      }
    }
  } catch (error) {
    if (error instanceof InvocationOver) return { kind: 'wait on' };
    throw error;
  }
}

function patienceMs(event: CloudFormationCustomResourceEvent): number {
  const given = Number(event.ResourceProperties.ServiceTimeout);
  const seconds = given >= 1 && given <= 3600 ? given : DEFAULT_SERVICE_TIMEOUT_SECONDS;
  return Math.max(seconds * 1000 - MARGIN_MS, (seconds * 1000) / 2);
}

async function enable(
  run: Run,
  event: CloudFormationCustomResourceCreateEvent | CloudFormationCustomResourceUpdateEvent,
): Promise<Outcome> {
  const properties = parseProperties(event.ResourceProperties);
  const execution = await run.finish('enable', properties);
  const step = outputOf(execution, 'Finish.mode') === '' ? 'FinishUnchanged' : 'Finish';
  return answered({
    status: 'SUCCESS',
    physicalResourceId: physicalResourceId(event.StackId, properties.LoadBalancerName),
    reason: [outputOf(execution, `${step}.summary`), outputOf(execution, 'Conclude.warning')].join(' ').trim(),
    data: {
      InstancePorts: outputOf(execution, `${step}.instancePorts`),
      PolicyName: outputOf(execution, `${step}.policyName`),
      ReceiverMode: outputOf(execution, `${step}.mode`),
      ExecutionId: execution.AutomationExecutionId ?? '',
      Assumed: outputOf(execution, `${step}.assumed`) || 'nothing',
    },
  });
}

async function remove(run: Run, event: CloudFormationCustomResourceDeleteEvent): Promise<Outcome> {
  // Before the answer: behind it CloudFormation deletes the function's role, and the parameter would stay. Who is killed in between
  // comes again as a new request, and finds nothing left to do.
  const done = async (reason: string): Promise<Outcome> => {
    await forget(run.deps.ssm, event);
    return answered({ status: 'SUCCESS', physicalResourceId: event.PhysicalResourceId, reason });
  };
  const name: unknown = event.ResourceProperties.LoadBalancerName;
  // A Create that never got as far as a load balancer's name has made nothing.
  if (typeof name !== 'string' || !/^[a-zA-Z0-9-]{1,32}$/.test(name)) return done('Nothing was made.');
  const stored = await run.settledState(name);
  if (stored === undefined) return done(`${name} is not switched by anyone.`);
  const { state } = stored;
  if (state.owner !== ownerOf(event)) return done(`${name} belongs to ${state.owner}; nothing was changed.`);

  const properties = parseProperties(event.ResourceProperties);
  if (properties.DeletionMode === 'Retain') {
    // Left as it is, for a person or another stack to take over.
    await writeState(run.deps.ssm, name, stored, { ...state, owner: CONSOLE_OWNER });
    return done(`${name} stays as it is, with receivers in ${state.mode}.`);
  }
  const execution = await run.finish('disable', properties);
  return done(
    outputOf(execution, 'Finish.summary') ||
      outputOf(execution, 'FinishUnchanged.summary') ||
      outputOf(execution, 'ForgetLoadBalancer.summary'),
  );
}

const answered = (answer: Answer): Outcome => ({ kind: 'answer', answer });

/** Two resources of one stack must not share a load balancer either. */
const ownerOf = (event: Pick<CloudFormationCustomResourceEvent, 'StackId' | 'LogicalResourceId'>): string =>
  `${event.StackId}/${event.LogicalResourceId}`;

class InvocationOver extends Error {}

/** The waiting part: every wait ends with the invocation or with CloudFormation's patience. */
class Run {
  readonly deps: LifecycleDeps;
  readonly #event: CloudFormationCustomResourceEvent;
  readonly #startedBy: string;
  #memory: RequestMemory;

  constructor(deps: LifecycleDeps, event: CloudFormationCustomResourceEvent, memory: RequestMemory) {
    this.deps = deps;
    this.#event = event;
    this.#memory = memory;
    this.#startedBy = `${event.StackId} ${memory.identity}`;
  }

  /** Run the runbook to its end, or join the run of this request that is there already. */
  async finish(direction: Direction, properties: Properties): Promise<AutomationExecution> {
    for (;;) {
      const executionId = this.#memory.executionId ?? (await this.#start(direction, properties));
      const execution = await this.#awaitEnd(executionId, properties.LoadBalancerName);
      if (execution?.AutomationExecutionStatus === 'Success') return execution;
      const failure =
        execution === undefined
          ? `Execution ${executionId} is not known to Systems Manager.`
          : describeFailure(execution);
      // Another took the lock between our look and the runbook's: wait for it, and start again.
      if (!failure.includes('ERR_SWITCH_BUSY')) throw new SwitchFailure(failure);
      await this.#forgetExecution();
    }
  }

  /** The load balancer's state once nothing is at work on it; of our own runs, what is still at work is stopped. */
  async settledState(loadBalancerName: string): Promise<StoredState | undefined> {
    for (;;) {
      const stored = await readState(this.deps.ssm, loadBalancerName);
      if (stored === undefined || stored.state.owner !== ownerOf(this.#event)) return stored;
      if (stored.state.startedBy === this.#startedBy) return stored;
      if (!isRunning(await getExecution(this.deps.ssm, stored.state.executionId))) return stored;
      await this.stopAndAwait(stored.state.executionId);
    }
  }

  async stopAndAwait(executionId: string): Promise<void> {
    if (!isRunning(await getExecution(this.deps.ssm, executionId))) return;
    this.deps.log('stop', { executionId });
    await stopExecution(this.deps.ssm, executionId);
    await this.#awaitEnd(executionId, undefined);
  }

  async #start(direction: Direction, properties: Properties): Promise<string> {
    for (;;) {
      const state = (await readState(this.deps.ssm, properties.LoadBalancerName))?.state;
      const isBusy = state !== undefined && isRunning(await getExecution(this.deps.ssm, state.executionId));
      // Ours, from an invocation that was killed after the start and before it could write the id down.
      if (isBusy && state.startedBy === this.#startedBy) return this.#rememberExecution(state.executionId);
      if (!isBusy || (state.owner !== ownerOf(this.#event) && state.owner !== CONSOLE_OWNER)) break;
      await this.#pause(
        `waiting for execution ${state.executionId}, which is at work on ${properties.LoadBalancerName}`,
      );
    }
    const executionId = await this.#startWithToken(direction, properties);
    this.deps.log('started', { executionId, direction });
    return this.#rememberExecution(executionId);
  }

  /**
   * The token makes a start that is repeated after a kill the same start. Whether a used one gives the execution again or an error
   * is not documented ("can't be reused"); with an error the lock decides: the second execution finds it taken, and is waited for.
   */
  async #startWithToken(direction: Direction, properties: Properties): Promise<string> {
    const { documentName, ssm } = this.deps;
    const request = { documentName, direction, properties, owner: ownerOf(this.#event), startedBy: this.#startedBy };
    try {
      return await startExecution(ssm, { ...request, clientToken: this.#memory.clientToken });
    } catch (error) {
      if (serviceErrorName(error) !== 'IdempotentParameterMismatch') throw error;
      await this.#forgetExecution();
      return startExecution(ssm, { ...request, clientToken: this.#memory.clientToken });
    }
  }

  async #awaitEnd(executionId: string, loadBalancerName: string | undefined): Promise<AutomationExecution | undefined> {
    for (;;) {
      const execution = await this.#look(executionId);
      if (!isRunning(execution)) return execution;
      const phase = loadBalancerName === undefined ? '' : await this.#phase(loadBalancerName, executionId);
      await this.#pause(`execution ${executionId} is at step ${execution?.CurrentStepName ?? 'unknown'}${phase}`);
    }
  }

  /** A call that fails now may succeed at the next look: till then it goes on, for all that is known. What counts is the deadline. */
  async #look(executionId: string): Promise<AutomationExecution | undefined> {
    try {
      return await getExecution(this.deps.ssm, executionId);
    } catch (error) {
      this.deps.log('cannot look at the execution', { executionId, error: messageOf(error) });
      return {};
    }
  }

  async #phase(loadBalancerName: string, executionId: string): Promise<string> {
    try {
      const state = (await readState(this.deps.ssm, loadBalancerName))?.state;
      if (state?.executionId !== executionId) return ', and has not begun yet';
      return `, phase ${state.phase}${state.remaining ? ` (${state.remaining})` : ''}`;
    } catch {
      return '';
    }
  }

  async #pause(what: string): Promise<void> {
    const now = this.deps.clock.now();
    if (now >= this.#memory.deadline) throw new OutOfTimeError(what);
    if (now >= this.deps.invocationEndsAt) throw new InvocationOver();
    await this.deps.clock.sleep(Math.min(POLL_MS, this.#memory.deadline - now));
  }

  async #rememberExecution(executionId: string): Promise<string> {
    await this.#remember({ ...this.#memory, executionId });
    return executionId;
  }

  /** A client token starts one execution and no other. */
  async #forgetExecution(): Promise<void> {
    const { executionId: _, ...rest } = this.#memory;
    await this.#remember({ ...rest, clientToken: crypto.randomUUID() });
  }

  async #remember(memory: RequestMemory): Promise<void> {
    this.#memory = memory;
    await remember(this.deps.ssm, this.#event, memory);
  }
}

class SwitchFailure extends Error {}

class OutOfTimeError extends Error {
  constructor(what: string) {
    super(
      `ERR_OUT_OF_TIME: the time that CloudFormation gives was over while ${what}. The execution goes on by itself and leaves a fleet that serves; look at it in Systems Manager under Automation. For larger fleets raise SwitchTimeoutSeconds (at most 3600) or MaxConcurrency.`,
    );
  }
}
