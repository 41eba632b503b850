/**
 * Faults at the calls that the custom resource makes while it works on a request of CloudFormation. The request is one that CloudFormation
 * has sent while the stack was created, again with another address for the answer. After each the answer has to have come.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type ApiFault, apiFaults } from './api-faults.ts';
import type { Case } from './case.ts';
import { Injector, type Plan } from './injector.ts';
import { callsOfEvery, type Direction, describeCall, keyOf, type RecordedCall } from './recorded-call.ts';
import { type FaultStage, functionNames, LATE_MS, SILENCE_MS, TIMERS_DIVIDED_BY } from './switch-faults.ts';

const DIRECTIONS: readonly Direction[] = ['enable', 'disable'];
/** The service's time: an hour, less the function's margin. What takes longer here has hung. Unit: milliseconds. */
const ANSWER_LIMIT_MS = 60_000;
/** How often the function looks at a run depends on how long that takes. */
const LOOKS = 2;

interface Answer {
  readonly Status: string;
  readonly Reason?: string;
}

/** As CloudFormation sends it; the names are its own. */
export type CloudFormationRequest = Readonly<Record<string, unknown>>;

export class RequestFaults implements AsyncDisposable {
  readonly faults: readonly ApiFault[];
  readonly #stage: FaultStage;
  readonly #request: CloudFormationRequest;
  readonly #functionName: string;
  readonly #injector = new Injector();
  readonly #cleanup: (() => void)[];
  readonly #answers = new Map<string, Answer[]>();
  readonly #receiver = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += chunk));
    request.on('end', () => {
      this.#answers.get(request.url ?? '')?.push(JSON.parse(body) as Answer);
      response.end();
    });
  });
  #numbers = 0;

  constructor(stage: FaultStage, functionName: string, request: CloudFormationRequest) {
    this.#stage = stage;
    this.#request = request;
    this.#functionName = functionName;
    const { endpoint, lambda } = stage.account;
    this.#cleanup = [endpoint.intercept(this.#injector)];
    this.faults = apiFaults({
      silenceMs: SILENCE_MS,
      lateMs: LATE_MS,
      killFunction: () => {
        for (const pid of lambda.pids(functionName)) process.kill(pid, 'SIGKILL');
      },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#cleanup) step();
    this.#receiver.closeAllConnections();
    await new Promise((resolve) => this.#receiver.close(resolve));
  }

  /** Before it the load balancer is switched on by the stack, behind it too. */
  async *cases(faults: readonly ApiFault[]): AsyncGenerator<Case> {
    await new Promise<void>((resolve) => this.#receiver.listen(0, '127.0.0.1', resolve));
    for (const name of await functionNames(this.#stage.account)) {
      await this.#stage.account.lambda.divideTimers(name, TIMERS_DIVIDED_BY);
    }
    const calls = await this.#record();
    console.log(`${calls.length} calls of the custom resource recorded`);
    for (const fault of faults) {
      if (calls.every((call) => fault.isSurvivedAt(call))) yield* this.#onEvery(fault, calls);
      else yield* this.#onEach(fault, calls);
    }
    for (const direction of ['disable', 'enable'] as const) yield await this.#twice(direction);
    for (const direction of ['disable', 'enable'] as const) yield await this.#outOfTime(direction);
  }

  async #record(): Promise<RecordedCall[]> {
    const runs: RecordedCall[][] = [];
    for (let round = 0; round < LOOKS; round += 1) {
      const calls: RecordedCall[] = [];
      for (const direction of ['disable', 'enable'] as const) {
        await this.#send(direction, none);
        calls.push(...this.#injector.recorded.filter(({ by, nth }) => by === 'custom resource' && nth <= LOOKS));
      }
      runs.push(calls);
    }
    return callsOfEvery(runs);
  }

  async *#onEvery(fault: ApiFault, calls: readonly RecordedCall[]): AsyncGenerator<Case> {
    for (const direction of DIRECTIONS.toReversed()) {
      const own = calls.filter((call) => call.direction === direction);
      // With a process of its own: an SDK's retries are rationed for the life of one.
      await this.#stage.account.lambda.divideTimers(this.#functionName, TIMERS_DIVIDED_BY);
      const answers = await this.#send(direction, on(fault, own));
      for (const call of own) yield this.#caseOf(fault.name, call, answers, ['SUCCESS']);
      await this.#send(direction, none);
    }
  }

  async *#onEach(fault: ApiFault, calls: readonly RecordedCall[]): AsyncGenerator<Case> {
    const [enable = [], disable = []] = DIRECTIONS.map((each) => calls.filter((call) => call.direction === each));
    // Killed, it is invoked again; refused for good, it says so.
    const wanted = fault.name.startsWith('function killed') ? ['SUCCESS'] : ['SUCCESS', 'FAILED'];
    for (let index = 0; index < Math.max(enable.length, disable.length); index += 1) {
      for (const [direction, queue] of [
        ['disable', disable],
        ['enable', enable],
      ] as const) {
        const call = queue[index];
        if (call === undefined) {
          await this.#send(direction, none);
          continue;
        }
        const found = this.#caseOf(fault.name, call, await this.#send(direction, on(fault, [call])), wanted);
        // Who could not write its answer's memory down is asked again, as CloudFormation asks on the next try.
        const [next] = await this.#send(direction, none);
        const wrong = [...found.wrong, ...this.#stage.unserved(), ...this.#unsettled(direction)];
        if (next?.Status !== 'SUCCESS') wrong.push(`the next request was answered ${next?.Status}: ${next?.Reason}`);
        yield { ...found, next: next?.Status === 'SUCCESS' ? 'Success' : 'Failed', wrong };
      }
    }
  }

  /** The same event delivered again, at the same time, as Lambda may. */
  async #twice(direction: Direction): Promise<Case> {
    const answers = await this.#send(direction, none, 2);
    const found = this.#ofTheRequest('event delivered twice', direction, answers);
    const wrong = [...found.wrong];
    if (answers.some(({ Status }) => Status !== answers[0]?.Status)) wrong.push('the two answers differ');
    return { ...found, wrong: [...wrong, ...this.#unsettled(direction)] };
  }

  /** So little time that it has to hand on to its next invocation before the run has ended. */
  async #outOfTime(direction: Direction): Promise<Case> {
    const { lambda } = this.#stage.account;
    const { found, invocations } = await this.#withTimeout(SHORT_SECONDS, async () => {
      const before = lambda.invocations.length;
      const answers = await this.#send(direction, none);
      return {
        found: this.#ofTheRequest('function out of time', direction, answers),
        invocations: lambda.invocations
          .slice(before)
          .filter(({ functionName, type }) => functionName === this.#functionName && type === 'Event').length,
      };
    });
    return {
      ...found,
      wrong: [...found.wrong, ...(invocations > 1 ? [] : [NOT_FIRED]), ...this.#unsettled(direction)],
    };
  }

  async #withTimeout<T>(seconds: number, work: () => Promise<T>): Promise<T> {
    const { endpoint } = this.#stage.account;
    const set = (Timeout: number) =>
      endpoint.dispatcher.call('lambda', 'UpdateFunctionConfiguration', { FunctionName: this.#functionName, Timeout });
    await set(seconds);
    try {
      return await work();
    } finally {
      await set(SHIPPED_SECONDS);
    }
  }

  #ofTheRequest(fault: string, direction: Direction, answers: readonly Answer[]): Case {
    const step = direction === 'enable' ? 'Create' : 'Delete';
    const call = { direction, step, by: 'custom resource', operation: '', nth: 1 } as const;
    return { ...this.#caseOf(fault, call, answers, ['SUCCESS']), where: step };
  }

  #caseOf(fault: string, call: RecordedCall, answers: readonly Answer[], wanted: readonly string[]): Case {
    const [answer] = answers;
    const wrong = [...this.#stage.unserved()];
    if (call.operation !== '' && this.#injector.fired(call) === 0) wrong.push(NOT_FIRED);
    if (answer === undefined) wrong.push('CloudFormation got no answer');
    else if (!wanted.includes(answer.Status)) wrong.push(`the answer was ${answer.Status}: ${answer.Reason}`);
    const { direction } = call;
    return {
      part: this.#stage.part,
      fault,
      where: describeCall(call),
      direction,
      ended: answer?.Status === 'SUCCESS' ? 'Success' : 'Failed',
      said: answer?.Reason ?? '',
      next: '',
      wrong,
    };
  }

  #unsettled(direction: Direction): string[] {
    const mode = direction === 'enable' ? 'proxy' : 'plain';
    const modes = this.#stage.modes();
    return modes.every((each) => each === mode) ? [] : [`receivers are in ${modes.join(', ')}`];
  }

  /** @returns the answers that came by the time that the function had done with it */
  async #send(direction: Direction, plan: Plan, deliveries = 1): Promise<readonly Answer[]> {
    const { endpoint, lambda } = this.#stage.account;
    this.#injector.begin(direction, plan);
    this.#numbers += 1;
    const { port } = this.#receiver.address() as AddressInfo;
    const path = `/${this.#numbers}`;
    const answers: Answer[] = [];
    this.#answers.set(path, answers);
    const { PhysicalResourceId: _, ...request } = this.#request;
    const event = {
      ...request,
      RequestId: `request-${this.#numbers}`,
      ResponseURL: `http://127.0.0.1:${port}${path}`,
      ...(direction === 'enable'
        ? { RequestType: 'Create' }
        : { RequestType: 'Delete', PhysicalResourceId: 'as-it-was-answered' }),
    };
    for (let delivery = 0; delivery < deliveries; delivery += 1) {
      await endpoint.dispatcher.call('lambda', 'Invoke', {
        FunctionName: this.#functionName,
        InvocationType: 'Event',
        Payload: Buffer.from(JSON.stringify(event)),
      });
    }
    await Promise.race([lambda.settled(), timeout(ANSWER_LIMIT_MS)]);
    this.#stage.interrupted.throwIfAborted();
    return answers;
  }
}

/** The function's own, and one behind which it hands on after a second, as it does a minute before its end. */
const SHIPPED_SECONDS = 900;
const SHORT_SECONDS = 61;
const NOT_FIRED = 'the fault did not fire';
const none: Plan = () => undefined;
const on = (fault: ApiFault, calls: readonly RecordedCall[]): Plan => {
  const keys = new Set(calls.map(keyOf));
  return (call) => (keys.has(keyOf(call)) ? fault : undefined);
};
const timeout = (ms: number) =>
  new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
