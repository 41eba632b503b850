/**
 * Knows of each call which one of the product's it is, writes that down, and lets a fault befall it. The steps' names come from
 * Systems Manager's own events; one execution is followed, the newest that was started.
 */
import type { Call, Interceptor, RESET } from '../aws/faults.ts';
import type { ServiceError } from '../aws/service.ts';
import type { SsmEvent } from '../ssm/service.ts';
import type { ApiFault } from './api-faults.ts';
import { type Direction, keyOf, type RecordedCall } from './recorded-call.ts';

/** Which fault a call meets; undefined = none. */
export type Plan = (call: RecordedCall) => ApiFault | undefined;

interface Placed {
  readonly call: RecordedCall;
  readonly attempt: number;
}

interface Step {
  readonly executionId: string;
  readonly name: string;
  /** Of a loop, 1 = the first. */
  readonly round: number;
}

export class Injector implements Interceptor {
  #direction: Direction = 'enable';
  #plan: Plan = () => undefined;
  #step: Step | undefined;
  #executionId: string | undefined;
  /** How many calls of one operation the step has made. */
  readonly #counts = new Map<string, number>();
  readonly #requestCounts = new Map<string, number>();
  readonly #attempts = new Map<string, number>();
  readonly #byInvocation = new Map<string, RecordedCall>();
  readonly #placed = new WeakMap<Call, Placed>();
  readonly #recorded = new Map<string, RecordedCall>();
  readonly #fired = new Map<string, number>();

  /** From now on it is another run. */
  begin(direction: Direction, plan: Plan): void {
    this.#direction = direction;
    this.#plan = plan;
    this.#step = undefined;
    this.#executionId = undefined;
    for (const each of [
      this.#counts,
      this.#requestCounts,
      this.#attempts,
      this.#byInvocation,
      this.#recorded,
      this.#fired,
    ])
      each.clear();
  }

  /** Of this run, in the order of the first attempts. */
  get recorded(): RecordedCall[] {
    return [...this.#recorded.values()];
  }

  /** How often the call's fault has befallen it in this run. */
  fired(call: RecordedCall): number {
    return this.#fired.get(keyOf(call)) ?? 0;
  }

  /** For `SsmService.subscribe`. */
  onEvent(event: SsmEvent): void {
    if (event.type === 'execution' && event.status === 'Pending') this.#executionId ??= event.executionId;
    if (event.type !== 'step' || event.status !== 'InProgress') return;
    this.#executionId ??= event.executionId;
    if (event.executionId !== this.#executionId) return;
    this.#step = { executionId: event.executionId, name: event.stepName, round: event.iteration ?? 1 };
    this.#counts.clear();
  }

  async before(call: Call): Promise<Awaited<ReturnType<NonNullable<Interceptor['before']>>>> {
    const placed = this.#place(call);
    if (placed === undefined) return undefined;
    const verdict = this.#plan(placed.call)?.before?.(call, placed.attempt);
    if (verdict !== undefined) this.#fire(placed.call);
    return verdict;
  }

  async after(call: Call): Promise<ServiceError | typeof RESET | undefined> {
    const placed = this.#placed.get(call);
    if (placed === undefined) return undefined;
    const verdict = this.#plan(placed.call)?.after?.(call, placed.attempt);
    // As soon as it begins: whoever waits for the answer may have gone before a silence is over.
    if (verdict !== undefined) this.#fire(placed.call);
    return verdict;
  }

  #place(call: Call): Placed | undefined {
    const known = call.invocationId === undefined ? undefined : this.#byInvocation.get(call.invocationId);
    const recorded = known ?? this.#identify(call);
    if (recorded === undefined) return undefined;
    const key = keyOf(recorded);
    if (call.invocationId !== undefined) this.#byInvocation.set(call.invocationId, recorded);
    if (!this.#recorded.has(key)) this.#recorded.set(key, recorded);
    const attempt = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempt);
    const placed = { call: recorded, attempt };
    this.#placed.set(call, placed);
    return placed;
  }

  #identify({ service, action, accessKeyId }: Call): RecordedCall | undefined {
    const operation = `${service}:${action}`;
    if (accessKeyId.includes('-ProxyProtocolFunction-')) return this.#ofTheCustomResource(operation);
    const step = this.#step;
    if (step === undefined || step.round > 1) return undefined;
    const by = callerOf(accessKeyId, step.executionId);
    if (by === undefined) return undefined;
    // A step that is tried again makes all of its calls again.
    if (by === 'Automation' && action === 'Invoke') this.#forgetFunctionCalls();
    const count = `${by} ${operation}`;
    const nth = by === 'Automation' && isAllOfItsStep(service, action) ? 1 : (this.#counts.get(count) ?? 0) + 1;
    this.#counts.set(count, nth);
    return { direction: this.#direction, step: step.name, by, operation, nth };
  }

  /** Over all of its invocations: one that is killed comes again, and goes on. */
  #ofTheCustomResource(operation: string): RecordedCall {
    const nth = (this.#requestCounts.get(operation) ?? 0) + 1;
    this.#requestCounts.set(operation, nth);
    const step = this.#direction === 'enable' ? 'Create' : 'Delete';
    return { direction: this.#direction, step, by: 'custom resource', operation, nth };
  }

  #forgetFunctionCalls(): void {
    for (const count of this.#counts.keys()) if (count.startsWith('function ')) this.#counts.delete(count);
  }

  #fire(call: RecordedCall): void {
    const key = keyOf(call);
    this.#fired.set(key, (this.#fired.get(key) ?? 0) + 1);
  }
}

/** Made once by its step: a second one is a repetition, by `maxAttempts`. The calls around a command are many. */
const isAllOfItsStep = (service: string, action: string): boolean => service === 'ec2' || action === 'Invoke';

/** The sessions' names: of an execution's role, and of a function's (`rehearsal/ssm/automation/automation.ts`, `rehearsal/lambda/invoker.ts`). */
function callerOf(accessKeyId: string, executionId: string): RecordedCall['by'] | undefined {
  if (accessKeyId.endsWith(`:Automation-${executionId}`)) return 'Automation';
  return accessKeyId.includes('-LoadBalancerFunction-') ? 'function' : undefined;
}
