/**
 * Faults at the calls of the runbook's runs. What the product gets over is put on every call of one run, what ends a run on one call of a
 * run each; behind every run that ended so another one ends the work. Each case has its own fault seen to fire.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { RESET } from '../aws/faults.ts';
import { ServiceError } from '../aws/service.ts';
import type { Environment } from '../environment.ts';
import { LOAD_BALANCER } from '../fleet.ts';
import { failureOf, startRunbook } from '../scenarios/runbook.ts';
import type { ReceiverMode } from '../traffic/client-address.ts';
import { type ApiFault, apiFaults, isPossible } from './api-faults.ts';
import type { Case } from './case.ts';
import { Injector, type Plan } from './injector.ts';
import { callsOfEvery, type Direction, describeCall, keyOf, type RecordedCall } from './recorded-call.ts';
import { said } from './said.ts';

export interface FaultStage {
  /** Which part of the matrix it is. */
  readonly part: string;
  readonly account: Pick<Environment, 'clients' | 'endpoint' | 'ssm' | 'lambda' | 'elb'>;
  /** Of the runbook, Direction apart. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly interrupted: AbortSignal;
  /** As they are now. */
  modes(): readonly (ReceiverMode | 'unknown')[];
  /** What clients met since this was asked last, a sentence each. */
  unserved(): readonly string[];
}

const DIRECTIONS: readonly Direction[] = ['enable', 'disable'];
/** What a look more depends on is not in all of so many runs. */
const RECORDINGS = 2;
/** While faults are about, waits of the functions are so many times shorter; their SDK waits up to a minute for one call. */
export const TIMERS_DIVIDED_BY = 20;
/** Both are seen through those timers: a client gives a call up after 10 s. Unit: milliseconds. */
export const SILENCE_MS = 30_000;
export const LATE_MS = 300;

/** Of the function as it ships, and so short that ten attempts of its client do not fit in. */
const SHIPPED_SECONDS = 300;
const SHORT_SECONDS = 2;

export const OUT_OF_TIME: ApiFault = {
  name: 'function out of time',
  isSurvivedAt: () => false,
  before: () => sleep(SILENCE_MS, RESET, { ref: false }),
};

interface Run {
  readonly ended: string;
  readonly said: string;
  /** The step that ended it, and its words; of a run that succeeded nothing that counts. */
  readonly why: string;
}

export class SwitchFaults implements AsyncDisposable {
  readonly faults: readonly ApiFault[];
  readonly #stage: FaultStage;
  readonly #injector = new Injector();
  readonly #cleanup: (() => void)[];
  readonly #aborted: Promise<never>;
  #functionName = '';
  #calls: readonly RecordedCall[] = [];
  #callsBack: readonly RecordedCall[] = [];

  constructor(stage: FaultStage) {
    this.#stage = stage;
    this.#aborted = aborted(stage.interrupted);
    const { endpoint, ssm, lambda } = stage.account;
    this.#cleanup = [endpoint.intercept(this.#injector), ssm.subscribe((event) => this.#injector.onEvent(event))];
    this.faults = apiFaults({
      silenceMs: SILENCE_MS,
      lateMs: LATE_MS,
      killFunction: () => {
        for (const pid of lambda.pids(this.#functionName)) process.kill(pid, 'SIGKILL');
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#cleanup) step();
  }

  /** Of a run that gets through, and behind it of one that goes the way back; both directions. */
  get calls(): readonly RecordedCall[] {
    return [...this.#calls, ...this.#callsBack];
  }

  /** Runs without a fault, both ways, and runs that go the way back. Before it the fleet is off, behind it too. */
  async record(): Promise<void> {
    await this.#prepareFunction();
    const there: RecordedCall[][] = [];
    const back: RecordedCall[][] = [];
    for (let round = 0; round < RECORDINGS; round += 1) {
      const calls: RecordedCall[] = [];
      const callsBack: RecordedCall[] = [];
      for (const direction of DIRECTIONS) {
        await this.#run(direction, failing);
        callsBack.push(...this.#injector.recorded.filter(({ step }) => isOnTheWayBack(step)));
        await this.#complete(direction);
        calls.push(...this.#injector.recorded);
      }
      there.push(calls);
      back.push(callsBack);
    }
    this.#calls = callsOfEvery(there);
    this.#callsBack = callsOfEvery(back);
  }

  /** Every call of a run meets the fault that the product gets over. */
  async *survived(faults: readonly ApiFault[]): AsyncGenerator<Case> {
    for (const fault of faults) {
      for (const direction of DIRECTIONS) {
        const meet = (call: RecordedCall): boolean =>
          call.direction === direction && isPossible(fault, call) && fault.isSurvivedAt(call);
        const back = this.#callsBack.filter(meet);
        // An SDK's retries are rationed for the life of a process: a run is to have all of them.
        await this.#renewFunction();
        const casesBack = this.#together(
          fault,
          back,
          await this.#run(direction, (call) => failing(call) ?? on(fault, back)(call)),
        );
        const there = this.#calls.filter(meet);
        await this.#renewFunction();
        yield* this.#together(fault, there, await this.#run(direction, on(fault, there)), 'Success');
        yield* casesBack;
        // The fleet has to be where the other direction begins, whatever came of this.
        await this.#complete(direction);
      }
    }
  }

  /** One call of a run meets a fault that may end the run; the next run has to end the work. */
  async *ending(
    faults: readonly ApiFault[],
    isWanted: (call: RecordedCall) => boolean = () => true,
  ): AsyncGenerator<Case> {
    const cases = (calls: readonly RecordedCall[], base: Plan) =>
      calls
        .filter(isWanted)
        .flatMap((call) =>
          faults
            .filter((fault) => isPossible(fault, call) && !fault.isSurvivedAt(call))
            .map((fault) => ({ fault, call, base })),
        );
    const all = [...cases(this.#calls, none), ...cases(this.#callsBack, failing)];
    const [enable = [], disable = []] = DIRECTIONS.map((each) => all.filter(({ call }) => call.direction === each));
    for (let index = 0; index < Math.max(enable.length, disable.length); index += 1) {
      // In turn, so that each begins where the one before has ended.
      for (const [direction, queue] of [
        ['enable', enable],
        ['disable', disable],
      ] as const) {
        const each = queue[index];
        if (each === undefined) await this.#complete(direction);
        else yield await this.#one(each.fault, each.call, each.base);
      }
    }
  }

  /** At each step of a run another is started: one of the two does the work, and who cannot have it says so. */
  async *secondRuns(): AsyncGenerator<Case> {
    const { account, parameters, unserved } = this.#stage;
    const steps = (direction: Direction) => [
      ...new Set(this.#calls.filter((call) => call.direction === direction).map(({ step }) => step)),
    ];
    const [enable = [], disable = []] = DIRECTIONS.map(steps);
    for (let index = 0; index < Math.max(enable.length, disable.length); index += 1) {
      for (const [direction, queue] of [
        ['enable', enable],
        ['disable', disable],
      ] as const) {
        const step = queue[index];
        if (step === undefined) {
          await this.#complete(direction);
          continue;
        }
        let second: Promise<Run> | undefined;
        const unsubscribe = account.ssm.subscribe((event) => {
          if (event.type !== 'step' || event.stepName !== step || event.status !== 'InProgress') return;
          second ??= startRunbook(account, direction, parameters).then((id) => this.#ended(id));
        });
        const first = await this.#run(direction, none);
        unsubscribe();
        const other = await second;
        const wrong = [...unserved()];
        if (other === undefined) wrong.push('the second run did not begin');
        const runs = [first, ...(other === undefined ? [] : [other])];
        if (runs.every(({ ended }) => ended !== 'Success')) wrong.push('neither run succeeded');
        for (const { ended, why } of runs) {
          if (ended !== 'Success' && !why.includes('ERR_SWITCH_BUSY')) wrong.push(`one ended in ${ended}: ${why}`);
        }
        const next = await this.#complete(direction);
        const { part } = this.#stage;
        const { ended, said: words } = first;
        const found = { part, fault: 'a second run at the same time', where: step, direction, ended, said: words };
        yield { ...found, next: next.ended, wrong: [...wrong, ...next.wrong] };
      }
    }
  }

  /** The first call of each step is never answered, and the function's time is over before its client gives up for good. */
  async *outOfTime(): AsyncGenerator<Case> {
    const { endpoint } = this.#stage.account;
    const set = (Timeout: number) =>
      endpoint.dispatcher.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: this.#functionName, Timeout });
    const isFirst = (call: RecordedCall): boolean =>
      call.by === 'function' &&
      call ===
        this.calls.find(
          (each) => each.by === 'function' && each.step === call.step && each.direction === call.direction,
        );
    await set(SHORT_SECONDS);
    try {
      yield* this.ending([OUT_OF_TIME], isFirst);
    } finally {
      await set(SHIPPED_SECONDS);
    }
  }

  async #one(fault: ApiFault, call: RecordedCall, base: Plan): Promise<Case> {
    const { direction } = call;
    const run = await this.#run(direction, (each) => on(fault, [call])(each) ?? base(each));
    const fired = this.#injector.fired(call);
    const wrong = [...this.#stage.unserved(), ...(fired === 0 ? ['the fault did not fire'] : [])];
    if (run.ended !== 'Success' && run.said === '') wrong.push('the outputs do not say how things are');
    const next = await this.#complete(direction);
    return { ...this.#caseOf(fault, call, run), next: next.ended, wrong: [...wrong, ...next.wrong] };
  }

  #together(fault: ApiFault, calls: readonly RecordedCall[], run: Run, wanted?: string): Case[] {
    const unserved = this.#stage.unserved();
    return calls.map((call) => {
      const wrong = [...unserved];
      if (this.#injector.fired(call) === 0) wrong.push('the fault did not fire');
      if (wanted !== undefined && run.ended !== wanted) wrong.push(`the run ended in ${run.ended}: ${run.said}`);
      return { ...this.#caseOf(fault, call, run), wrong };
    });
  }

  #caseOf({ name }: ApiFault, call: RecordedCall, { ended, said }: Run): Case {
    const { direction } = call;
    return {
      part: this.#stage.part,
      fault: name,
      where: describeCall(call),
      direction,
      ended,
      said,
      next: '',
      wrong: [],
    };
  }

  /** A run that nothing befalls: it ends the work, and both sides are as they have to be. */
  async #complete(direction: Direction): Promise<{ readonly ended: string; readonly wrong: readonly string[] }> {
    const run = await this.#run(direction, none);
    const wrong = [...this.#stage.unserved()];
    if (run.ended !== 'Success') wrong.push(`the next run ended in ${run.ended}: ${run.said}`);
    const mode = direction === 'enable' ? 'proxy' : 'plain';
    const modes = this.#stage.modes();
    if (modes.some((each) => each !== mode)) wrong.push(`behind the next run receivers are in ${modes.join(', ')}`);
    const { backendPolicies } = this.#stage.account.elb.loadBalancers.get(LOAD_BALANCER);
    const ports = [...backendPolicies.keys()].sort();
    if (ports.length !== (direction === 'enable' ? 2 : 0)) {
      wrong.push(`behind the next run instance ports ${ports.join(', ') || 'none'} have the policy`);
    }
    return { ended: run.ended, wrong };
  }

  async #run(direction: Direction, plan: Plan): Promise<Run> {
    this.#stage.interrupted.throwIfAborted();
    this.#injector.begin(direction, plan);
    return this.#ended(await startRunbook(this.#stage.account, direction, this.#stage.parameters));
  }

  /** Told by the event of its end: asked for again and again, a thousand runs would take minutes more. */
  async #ended(id: string): Promise<Run> {
    const { ssm } = this.#stage.account;
    const look = () => ssm.executions.find((each) => each.AutomationExecutionId === id);
    const over = new Promise<void>((resolve) => {
      const unsubscribe = ssm.subscribe((event) => {
        if (event.type === 'execution' && event.executionId === id && isOver(event.status)) {
          unsubscribe();
          resolve();
        }
      });
    });
    if (!isOver(look()?.AutomationExecutionStatus ?? '')) await Promise.race([over, this.#aborted]);
    const execution = look();
    if (execution === undefined) throw new Error(`execution ${id} is not there`);
    return { ended: execution.AutomationExecutionStatus ?? '', said: said(execution), why: failureOf(execution) };
  }

  async #prepareFunction(): Promise<void> {
    const names = await functionNames(this.#stage.account);
    this.#functionName = names.find((name) => name.includes('-LoadBalancerFunction-')) ?? '';
    if (this.#functionName === '') throw new Error(`there is no load-balancer function among ${names.join(', ')}`);
    await this.#renewFunction();
  }

  #renewFunction(): Promise<void> {
    return this.#stage.account.lambda.divideTimers(this.#functionName, TIMERS_DIVIDED_BY);
  }
}

export async function functionNames({ endpoint }: Pick<Environment, 'endpoint'>): Promise<string[]> {
  const { Functions = [] } = (await endpoint.dispatcher.call('lambda', 'ListFunctions', {})) as {
    readonly Functions?: readonly { readonly FunctionName: string }[];
  };
  return Functions.map(({ FunctionName }) => FunctionName);
}

const isOver = (status: string): boolean => !['', 'Pending', 'InProgress', 'Cancelling'].includes(status);

const none: Plan = () => undefined;

const on = (fault: ApiFault, calls: readonly RecordedCall[]): Plan => {
  const keys = new Set(calls.map(keyOf));
  return (call) => (keys.has(keyOf(call)) ? fault : undefined);
};

/** With receivers changed and no policy touched, so that the run goes the way back. */
const FAILING_STEP = 'SetPolicies';
const failing: Plan = ({ step, by, operation }) =>
  step === FAILING_STEP && by === 'function' && operation === 'elasticloadbalancing:DescribeLoadBalancers'
    ? {
        name: 'access denied, so that the run goes the way back',
        isSurvivedAt: () => false,
        before: ({ action }) => new ServiceError('AccessDenied', `${action} is not allowed to this role`, 403),
      }
    : undefined;

const isOnTheWayBack = (step: string): boolean =>
  ['Undo', 'IsThereAnythingToRestore', 'RestoreReceivers', 'Undone'].includes(step);

function aborted(signal: AbortSignal): Promise<never> {
  const promise = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  // Nobody may be waiting when it comes.
  promise.catch(() => {});
  return promise;
}
