/**
 * One execution of a runbook: the order of its steps, what a failure or a cancellation leads to, and the record of it.
 *
 * Source: Systems Manager user guide, "Properties shared by all actions" and "aws:loop".
 */

import { randomUUID } from 'node:crypto';
import type { AutomationExecution, StepExecution } from '@aws-sdk/client-ssm';
import type { Dispatcher } from '../../aws/service.ts';
import { ACCOUNT_ID, REGION } from '../../world.ts';
import type { Clock } from '../clock.ts';
import type { ParameterValues } from '../document-parameters.ts';
import type {
  AutomationDocument,
  AutomationStep,
  Condition,
  LoopStep,
  OutputType,
} from '../document-schema/automation.ts';
import { successors } from '../document-schema/references.ts';
import { messageOf } from '../errors.ts';
import type { Publish } from '../events.ts';
import { interpolate } from '../interpolation.ts';
import { isObject, type JsonValue, toText, toTexts } from '../json.ts';
import type { RunCommand } from '../run-command/run-command.ts';
import { isTrue } from './conditions.ts';
import { type ActionResult, LONGEST_SECONDS, stepActions } from './step-actions.ts';
import { ExecutionStopped, StepFailure, StepTimedOut } from './step-failure.ts';
import { typedOutputs } from './typed-outputs.ts';

/** "Automation runs the cancellation workflow for a maximum of two minutes." */
const CANCELLATION_MS = 120_000;
const MAX_ITERATIONS = 100;
const NO_OUTPUT = 'No output available yet because the step is not successfully executed';

/** How a list of steps ended. */
type Ending =
  | { readonly kind: 'ended' }
  /** A step failed and said Abort. */
  | { readonly kind: 'aborted'; readonly step: StepExecution }
  /** In a loop: a step failed and named a step of the runbook itself. */
  | { readonly kind: 'left'; readonly to: string; readonly step: StepExecution }
  | { readonly kind: 'stopped'; readonly onCancel: string | undefined };

type StepResult =
  | { readonly status: 'Success'; readonly nextStep?: string | null }
  | { readonly status: 'Failed' | 'TimedOut'; readonly inside?: Ending }
  | { readonly status: 'Cancelled'; readonly onCancel: string | undefined };

/** Where a step stands: in the runbook itself, or in a round of a loop. */
interface Scope {
  readonly steps: readonly AutomationStep[];
  readonly parent: NonNullable<StepExecution['ParentStepDetails']> | undefined;
  /** The loop's own end, by its timeoutSeconds. */
  readonly signal: AbortSignal | undefined;
}

export interface ExecutionDeps {
  readonly dispatcher: Dispatcher;
  readonly runCommand: RunCommand;
  readonly clock: Clock;
  readonly publish: Publish;
}

export class Execution {
  readonly id: string = randomUUID();
  /** As GetAutomationExecution answers it, without the steps. */
  readonly summary: AutomationExecution;
  /** The access key id that its calls are signed with: who the caller is. */
  readonly accessKeyId: string;
  readonly #document: AutomationDocument;
  readonly #parameters: ParameterValues;
  readonly #deps: ExecutionDeps;
  readonly #started: StepExecution[] = [];
  readonly #values = new Map<string, JsonValue>();
  #stop = new AbortController();
  #isCompleting = false;
  #verdict: { readonly status: 'Failed' | 'TimedOut'; readonly step: StepExecution } | undefined;
  #ended: Promise<void> = Promise.resolve();

  constructor(
    document: AutomationDocument,
    parameters: ParameterValues,
    about: {
      readonly documentName: string;
      readonly documentVersion: string;
      readonly executedBy: string;
      /** The access key id of its calls. */
      readonly signAs: (executionId: string) => string;
    },
    deps: ExecutionDeps,
  ) {
    this.#document = document;
    this.#parameters = parameters;
    this.#deps = deps;
    this.accessKeyId = about.signAs(this.id);
    for (const [name, { default: value }] of Object.entries(document.variables ?? {}))
      this.#values.set(`variable:${name}`, (value ?? '') as JsonValue);
    this.summary = {
      AutomationExecutionId: this.id,
      DocumentName: about.documentName,
      DocumentVersion: about.documentVersion,
      ExecutionStartTime: new Date(deps.clock.now()),
      AutomationExecutionStatus: 'Pending',
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, toTexts(value)])),
      Mode: 'Auto',
      ExecutedBy: about.executedBy,
      Targets: [],
      ResolvedTargets: { ParameterValues: [], Truncated: false },
      Outputs: {},
    };
  }

  /** Resolves when the execution has a terminal status. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  get isRunning(): boolean {
    return this.summary.ExecutionEndTime === undefined;
  }

  /** Those that were started, in that order, then those of the runbook that are still pending. */
  get steps(): StepExecution[] {
    const names = new Set(this.#started.filter((step) => !step.ParentStepDetails).map((step) => step.StepName));
    const pending = this.#document.mainSteps
      .filter((step) => !names.has(step.name))
      .map((step): StepExecution => ({ ...this.#describe(step, this.#main), StepStatus: 'Pending' }));
    return [...this.#started, ...pending];
  }

  start(): void {
    this.#setStatus('InProgress');
    this.#ended = this.#run();
  }

  /**
   * Cancel ends the step that runs, then follows its onCancel. Complete lets the step that runs end and starts no other.
   *
   * @returns false if the execution has already ended, or is being cancelled
   */
  stop(type: 'Cancel' | 'Complete'): boolean {
    if (this.summary.AutomationExecutionStatus !== 'InProgress') return false;
    if (type === 'Complete') {
      this.#isCompleting = true;
      return true;
    }
    this.#setStatus('Cancelling');
    this.#stop.abort(new ExecutionStopped('The execution was cancelled.'));
    return true;
  }

  /** Ends it at once, whatever it does, for a rehearsal that is over: the step that runs is cancelled, no other follows. */
  kill(): void {
    this.#isCompleting = true;
    this.#stop.abort(new ExecutionStopped('The rehearsal is over.'));
  }

  get #main(): Scope {
    return { steps: this.#document.mainSteps, parent: undefined, signal: undefined };
  }

  async #run(): Promise<void> {
    // The answer to StartAutomationExecution comes before the first step.
    await Promise.resolve();
    let status: 'Success' | 'Failed' | 'TimedOut' | 'Cancelled' = 'Success';
    try {
      const ending = await this.#runSteps(this.#main, this.#document.mainSteps[0]);
      if (ending.kind === 'stopped') {
        await this.#runCancellation(ending.onCancel);
        status = 'Cancelled';
      } else status = this.#verdict?.status ?? 'Success';
    } catch (error) {
      // Not a failing step, which is an ending: the engine's own fault must not look like a success.
      status = 'Failed';
      this.summary.FailureMessage = `Internal failure of the rehearsal: ${error instanceof Error ? error.stack : String(error)}`;
    }
    if (this.#verdict && status !== 'Cancelled') {
      const { step } = this.#verdict;
      this.summary.FailureMessage = `Step ${step.StepName} (${step.Action}): ${step.FailureMessage}`;
    }
    this.summary.Outputs = this.#documentOutputs();
    this.summary.Variables = Object.fromEntries(
      Object.keys(this.#document.variables ?? {}).map((name) => [
        name,
        toTexts(this.#values.get(`variable:${name}`) ?? ''),
      ]),
    );
    this.summary.ExecutionEndTime = new Date(this.#deps.clock.now());
    delete this.summary.CurrentStepName;
    delete this.summary.CurrentAction;
    this.#setStatus(status);
  }

  async #runCancellation(first: string | undefined): Promise<void> {
    const step = this.#document.mainSteps.find(({ name }) => name === first);
    if (!step) return;
    this.#stop = new AbortController();
    const over = new AbortController();
    const { clock } = this.#deps;
    clock.sleep(CANCELLATION_MS, over.signal).then(
      () => this.#stop.abort(new ExecutionStopped('The cancellation workflow took more than two minutes.')),
      () => {},
    );
    try {
      await this.#runSteps(this.#main, step);
    } finally {
      over.abort(new Error('ended'));
    }
  }

  async #runSteps(scope: Scope, first: AutomationStep | undefined): Promise<Ending> {
    let step = first;
    while (step) {
      if (this.#isCompleting) return { kind: 'ended' };
      const { result, record } = await this.#runStep(step, scope);
      if (result.status === 'Cancelled') return { kind: 'stopped', onCancel: result.onCancel };
      if (result.status === 'Success') {
        step = this.#after(step, scope, result.nextStep);
        continue;
      }
      const next = afterFailure(step, result.inside);
      if (next === 'Abort' || isCritical(step, scope)) this.#verdict ??= { status: result.status, step: record };
      if (next === 'Abort') return { kind: 'aborted', step: record };
      // "This option stops an automation at the end of a specific step. The automation stops if the step failed or succeeded."
      if (step.isEnd) return { kind: 'ended' };
      if (next === 'Continue') {
        step = this.#after(step, scope);
        continue;
      }
      const name = next.slice('step:'.length);
      const found: AutomationStep | undefined = scope.steps.find((each) => each.name === name);
      if (!found) return { kind: 'left', to: name, step: record };
      step = found;
    }
    return { kind: 'ended' };
  }

  #after(step: AutomationStep, scope: Scope, chosen?: string | null): AutomationStep | undefined {
    const name = chosen ?? (step.isEnd ? undefined : step.nextStep);
    if (name !== undefined) return scope.steps.find((each) => each.name === name);
    return step.isEnd ? undefined : scope.steps[scope.steps.indexOf(step) + 1];
  }

  async #runStep(step: AutomationStep, scope: Scope): Promise<{ result: StepResult; record: StepExecution }> {
    const { clock } = this.#deps;
    const record: StepExecution = {
      ...this.#describe(step, scope),
      StepExecutionId: randomUUID(),
      ExecutionStartTime: new Date(clock.now()),
    };
    this.#started.push(record);
    this.summary.CurrentStepName = step.name;
    this.summary.CurrentAction = step.action;
    this.#setStepStatus(record, 'InProgress');
    const { result, error } = await this.#attempts(step, scope, record);
    if (error !== undefined) {
      record.FailureMessage = messageOf(error);
      record.FailureDetails = {
        FailureStage: 'Invocation',
        FailureType: error instanceof StepFailure ? 'StepFailure' : error instanceof Error ? error.name : 'Failure',
        Details: error instanceof StepFailure ? { ...error.details } : {},
      };
    }
    record.ExecutionEndTime = new Date(clock.now());
    this.#setStepStatus(record, result.status);
    return { result, record };
  }

  async #attempts(
    step: AutomationStep,
    scope: Scope,
    record: StepExecution,
  ): Promise<{ result: StepResult; error?: unknown }> {
    const attempts = step.maxAttempts ?? 1;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return { result: await this.#withTimeout(step, scope, (signal) => this.#attempt(step, scope, record, signal)) };
      } catch (error) {
        if (this.#stop.signal.aborted) return { result: { status: 'Cancelled', onCancel: jump(step.onCancel) }, error };
        if (attempt >= attempts)
          return { result: { status: error instanceof StepTimedOut ? 'TimedOut' : 'Failed' }, error };
      }
    }
  }

  async #withTimeout<T>(step: AutomationStep, scope: Scope, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const outer = scope.signal ?? this.#stop.signal;
    const seconds = Math.min(step.timeoutSeconds ?? Infinity, LONGEST_SECONDS[step.action] ?? Infinity);
    if (seconds === Infinity) return work(outer);
    const over = new AbortController();
    const timer = new AbortController();
    this.#deps.clock.sleep(seconds * 1000, timer.signal).then(
      () => over.abort(new StepTimedOut(`The step did not end within ${seconds} s.`)),
      () => {},
    );
    try {
      return await work(AbortSignal.any([outer, over.signal]));
    } finally {
      timer.abort(new Error('ended'));
    }
  }

  async #attempt(step: AutomationStep, scope: Scope, record: StepExecution, signal: AbortSignal): Promise<StepResult> {
    signal.throwIfAborted();
    if (step.action === 'aws:loop') return this.#runLoop(step, record, signal);
    const inputs = this.#resolve(step.inputs as unknown as JsonValue) as Record<string, JsonValue>;
    record.Inputs = texts(inputs);
    const result = await stepActions[step.action]({
      inputs,
      dispatcher: this.#deps.dispatcher,
      runCommand: this.#deps.runCommand,
      clock: this.#deps.clock,
      accessKeyId: this.accessKeyId,
      signal,
      setVariable: (name, value) => this.#setVariable(name, value),
      putOut: (outputs) => this.#putOut(step, record, outputs),
    });
    this.#keepOutputs(step, record, result);
    const next = result.nextStep ?? this.#after(step, scope, result.nextStep)?.name;
    if (next !== undefined) record.NextStep = next;
    return { status: 'Success', ...(result.nextStep === undefined ? {} : { nextStep: result.nextStep }) };
  }

  #keepOutputs(step: AutomationStep, record: StepExecution, result: ActionResult): void {
    const declared = 'outputs' in step ? (step.outputs ?? []) : [];
    const outputs = { ...result.outputs, ...typedOutputs(selectable(step, result.response ?? {}), declared) };
    this.#putOut(step, record, outputs);
    record.ResponseCode = result.responseCode ?? '0';
  }

  #putOut(step: AutomationStep, record: StepExecution, outputs: Readonly<Record<string, JsonValue>>): void {
    for (const [name, value] of Object.entries(outputs)) this.#values.set(`${step.name}.${name}`, value);
    record.Outputs = Object.fromEntries(Object.entries(outputs).map(([name, value]) => [name, toTexts(value)]));
  }

  /** "These function like a nested runbook." Rounds are counted from 1; the condition is asked after each. */
  async #runLoop(step: LoopStep, record: StepExecution, signal: AbortSignal): Promise<StepResult> {
    const { Iterators, LoopCondition, MaxIterations, Steps } = step.inputs;
    const items = Iterators === undefined ? undefined : this.#resolve(Iterators as JsonValue);
    const most = Math.min(MAX_ITERATIONS, Number(this.#resolve((MaxIterations ?? MAX_ITERATIONS) as JsonValue)));
    if (items !== undefined && !Array.isArray(items))
      throw new StepFailure(`Iterators is not a list: ${toText(items)}`);
    if (items !== undefined && items.length > MAX_ITERATIONS)
      throw new StepFailure(`Iterators has ${items.length} items; ${MAX_ITERATIONS} are allowed.`);
    record.Inputs = texts({ ...(items === undefined ? {} : { Iterators: items }), MaxIterations: most });

    for (let iteration = 1; iteration <= Math.min(most, items?.length ?? most); iteration += 1) {
      const value = items?.[iteration - 1] as JsonValue | undefined;
      this.#values.set(`${step.name}.CurrentIteration`, iteration);
      record.Outputs = { CurrentIteration: [String(iteration)] };
      if (value !== undefined) {
        this.#values.set(`${step.name}.CurrentIteratorValue`, value);
        record.Outputs.CurrentIteratorValue = toTexts(value);
      }
      const parent = {
        StepExecutionId: record.StepExecutionId,
        StepName: step.name,
        Action: step.action,
        Iteration: iteration,
        ...(value === undefined ? {} : { IteratorValue: toText(value) }),
      };
      const ending = await this.#runSteps({ steps: Steps, parent, signal }, Steps[0]);
      if (ending.kind === 'stopped') return { status: 'Cancelled', onCancel: ending.onCancel };
      if (ending.kind !== 'ended') {
        record.FailureMessage = `Step ${ending.step.StepName} in round ${iteration}: ${ending.step.FailureMessage}`;
        return { status: ending.step.StepStatus === 'TimedOut' ? 'TimedOut' : 'Failed', inside: ending };
      }
      if (this.#isCompleting) break;
      signal.throwIfAborted();
      if (LoopCondition && !isTrue(this.#resolve(LoopCondition as unknown as JsonValue) as unknown as Condition)) break;
    }
    return { status: 'Success' };
  }

  #resolve(value: JsonValue): JsonValue {
    return interpolate(value, (name) => {
      const found = this.#lookup(name);
      if (found === undefined) throw new StepFailure(`Failed to resolve input: {{ ${name} }} has no value.`);
      return found;
    });
  }

  #lookup(name: string): JsonValue | undefined {
    const now = new Date(this.#deps.clock.now()).toISOString();
    switch (name) {
      case 'global:ACCOUNT_ID':
        return ACCOUNT_ID;
      case 'global:REGION':
        return REGION;
      case 'global:AWS_PARTITION':
        return 'aws';
      case 'global:DATE':
        return now.slice(0, 10);
      case 'global:DATE_TIME':
        return now.slice(0, 19).replace('T', '_').replaceAll(':', '.');
      case 'automation:EXECUTION_ID':
        return this.id;
      default:
        return this.#values.get(name) ?? (Object.hasOwn(this.#parameters, name) ? this.#parameters[name] : undefined);
    }
  }

  /** "The data type of the value must match the data type of the variable. Data type conversions aren't supported." */
  #setVariable(name: string, value: JsonValue): void {
    const type = this.#document.variables?.[name.slice('variable:'.length)]?.type;
    if (!type || !isVariableOfType(value, type))
      throw new StepFailure(`The value of ${name} is not of type ${type}: ${toText(value)}`);
    this.#values.set(name, value);
  }

  #documentOutputs(): Record<string, string[]> {
    return Object.fromEntries(
      (this.#document.outputs ?? []).map((name) => {
        const value = this.#values.get(name);
        return [name, value === undefined ? [NO_OUTPUT] : toTexts(value)];
      }),
    );
  }

  #describe(step: AutomationStep, scope: Scope): StepExecution {
    return {
      StepName: step.name,
      Action: step.action,
      OnFailure: step.onFailure ?? 'Abort',
      MaxAttempts: step.maxAttempts ?? 1,
      IsEnd: step.isEnd ?? false,
      IsCritical: step.isCritical ?? step.onFailure !== 'Continue',
      ValidNextSteps: successors(scope.steps, scope.steps.indexOf(step)),
      Inputs: {},
      Outputs: {},
      OverriddenParameters: {},
      ...(step.timeoutSeconds === undefined ? {} : { TimeoutSeconds: step.timeoutSeconds }),
      ...(scope.parent ? { ParentStepDetails: scope.parent } : {}),
    };
  }

  #setStatus(status: string): void {
    // `Cancelling` and the others are all of the SDK's own enumeration.
    this.summary.AutomationExecutionStatus = status as NonNullable<AutomationExecution['AutomationExecutionStatus']>;
    const { DocumentName = '' } = this.summary;
    this.#deps.publish({ type: 'execution', executionId: this.id, documentName: DocumentName, status });
  }

  #setStepStatus(record: StepExecution, status: 'InProgress' | StepResult['status']): void {
    record.StepStatus = status;
    this.#deps.publish({
      type: 'step',
      executionId: this.id,
      stepExecutionId: record.StepExecutionId ?? '',
      stepName: record.StepName ?? '',
      action: record.Action ?? '',
      status,
      iteration: record.ParentStepDetails?.Iteration,
      failureMessage: record.FailureMessage,
    });
  }
}

const jump = (onCancel: string | undefined): string | undefined => onCancel?.match(/^step:(.+)$/)?.[1];

/**
 * "If you define onFailure properties for the steps within a loop, the aws:loop action inherits those properties": a step
 * in the loop that says nothing leaves it to the loop's own onFailure.
 */
function afterFailure(step: AutomationStep, inside: Ending | undefined): string {
  if (inside?.kind === 'left') return `step:${inside.to}`;
  if (inside?.kind === 'aborted' && step.action === 'aws:loop') {
    const { StepName } = inside.step;
    if (step.inputs.Steps.find(({ name }) => name === StepName)?.onFailure === 'Abort') return 'Abort';
  }
  return step.onFailure ?? 'Abort';
}

/** In a loop, a step that ends its round is judged with the loop, one that its loop recovers from by itself. */
const isCritical = (step: AutomationStep, scope: Scope): boolean =>
  step.isCritical ?? (scope.parent ? step.onFailure?.startsWith('step:') === true : step.onFailure !== 'Continue');

/**
 * A Lambda step's outputs select from the answer (`$.Payload.x`), as aws:executeScript's do; the page of aws:loop selects
 * from what the function returned (`$.Retry`). Both are taken.
 */
function selectable(step: AutomationStep, response: JsonValue): JsonValue {
  if (step.action !== 'aws:invokeLambdaFunction' || !isObject(response) || !isObject(response.Payload)) return response;
  return { ...(response.Payload as Record<string, JsonValue>), ...(response as Record<string, JsonValue>) };
}

function isVariableOfType(value: JsonValue, type: OutputType): boolean {
  switch (type) {
    case 'String':
      return typeof value === 'string';
    case 'Integer':
      return Number.isInteger(value);
    case 'Boolean':
      return typeof value === 'boolean';
    case 'StringMap':
      return isObject(value);
    case 'StringList':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    case 'MapList':
      return Array.isArray(value) && value.every(isObject);
    default: {
      const never: never = type;
      throw new Error(`no such type: ${never}`);
    }
  }
}

const texts = (inputs: Readonly<Record<string, JsonValue>>): Record<string, string> =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [name, JSON.stringify(value)]));
