/**
 * Faults at the steps of the runbook's runs, on machines and under traffic: one at one step of a run each, mended behind it where it does not
 * pass by itself, and then a run that ends the work.
 */
import { CREDENTIALS, type Environment } from '../environment.ts';
import { type Fleet, LOAD_BALANCER } from '../fleet.ts';
import { receiverMode } from '../scenarios/receiver-mode.ts';
import { startRunbook, waitForExecution } from '../scenarios/runbook.ts';
import type { SsmEvent } from '../ssm/service.ts';
import type { Traffic } from '../traffic/traffic.ts';
import type { Case } from './case.ts';
import { between, freshLook, type Losses, lossesOf, NO_LOSSES, noticed, parted, together } from './clients-seen.ts';
import type { Direction } from './recorded-call.ts';
import { said } from './said.ts';

export interface Moment {
  readonly step: string;
  /** `during`: its command is at work on some instance. */
  readonly when: 'before' | 'during';
}

export interface StepFault {
  readonly name: string;
  readonly moments: readonly Moment[];
  /** Absent: both. */
  readonly directions?: readonly Direction[];
  /** It takes away what connections went through: what clients lose while it lasts is said, and not held against anybody. */
  readonly cuts: boolean;
  /** @throws Error  it did not take hold */
  strike(): Promise<void>;
  /** Behind the run that it befell. @throws Error */
  mend(): Promise<void>;
}

export interface StepStage {
  readonly part: string;
  readonly environment: Environment;
  readonly fleet: Fleet;
  readonly parameters: Readonly<Record<string, string>>;
  readonly traffic: Traffic;
  readonly interrupted: AbortSignal;
}

const DIRECTIONS: readonly Direction[] = ['enable', 'disable'];
/** Into a command, so that its script is at work. Unit: milliseconds. */
const INTO_COMMAND_MS = 150;
export class StepFaults {
  readonly #stage: StepStage;
  #cut = NO_LOSSES;

  constructor(stage: StepStage) {
    this.#stage = stage;
  }

  /** What the faults that cut something off cost clients, all together. */
  get cut(): Losses {
    return this.#cut;
  }

  async *cases(faults: readonly StepFault[]): AsyncGenerator<Case> {
    for (const fault of faults) {
      for (const moment of fault.moments) {
        for (const direction of DIRECTIONS) {
          if (fault.directions?.includes(direction) ?? true) yield await this.#one(fault, moment, direction);
          else await this.#complete(direction);
        }
      }
    }
  }

  async #one(fault: StepFault, moment: Moment, direction: Direction): Promise<Case> {
    const before = lossesOf(await freshLook(this.#stage.traffic, this.#stage.interrupted));
    const wrong: string[] = [];
    const { hit, run } = await this.#run(direction, fault, moment);
    if (hit === undefined) wrong.push('the fault did not fire');
    else await hit.catch((error: Error) => wrong.push(`the fault did not take hold: ${error.message}`));
    if (hit !== undefined)
      await fault.mend().catch((error: Error) => wrong.push(`it was not mended: ${error.message}`));
    if (run.ended !== 'Success' && run.said === '') wrong.push('the outputs do not say how things are');
    // What was cut shows when its clients give up.
    if (fault.cuts) await settle();
    const lost = between(before, lossesOf(await freshLook(this.#stage.traffic, this.#stage.interrupted)));
    const { cutOff, never } = parted(lost);
    if (fault.cuts) this.#cut = together(this.#cut, cutOff);
    wrong.push(...noticed(fault.cuts ? never : lost));
    const next = await this.#complete(direction);
    return {
      part: this.#stage.part,
      fault: fault.name,
      where: `${moment.when} ${moment.step}`,
      direction,
      ended: run.ended,
      said: run.said,
      next: next.ended,
      cut: fault.cuts ? noticed(cutOff).join(', ') : '',
      wrong: [...wrong, ...next.wrong],
    };
  }

  /** A run that nothing befalls: it ends the work, both sides are as they have to be, and no client has noticed it. */
  async #complete(direction: Direction): Promise<{ readonly ended: string; readonly wrong: readonly string[] }> {
    const { traffic, interrupted, fleet, environment } = this.#stage;
    const before = lossesOf(await freshLook(traffic, interrupted));
    const { run } = await this.#run(direction);
    const wrong = noticed(between(before, lossesOf(await freshLook(traffic, interrupted))));
    if (run.ended !== 'Success') wrong.push(`the next run ended in ${run.ended}: ${run.said}`);
    const mode = direction === 'enable' ? 'proxy' : 'plain';
    for (const instance of fleet.instances) {
      const is = receiverMode(instance);
      if (is !== mode) wrong.push(`behind the next run ${instance.machine.name} is in ${is}`);
    }
    const ports = [...environment.elb.loadBalancers.get(LOAD_BALANCER).backendPolicies.keys()];
    if (ports.length !== (direction === 'enable' ? 2 : 0))
      wrong.push(`behind the next run ports ${ports} have the policy`);
    return { ended: run.ended, wrong };
  }

  async #run(direction: Direction, fault?: StepFault, moment?: Moment) {
    const { environment, parameters, interrupted } = this.#stage;
    let hit: Promise<void> | undefined;
    let isAt = false;
    const strike = (): Promise<void> => {
      hit ??= fault?.strike() ?? Promise.resolve();
      // Looked at when the run is over.
      return hit.catch(() => {});
    };
    const unsubscribe = environment.ssm.subscribe((event: SsmEvent) => {
      if (event.type === 'step' && event.stepName === moment?.step) isAt = event.status === 'InProgress';
      if (event.type === 'invocation' && event.status === 'InProgress' && isAt && moment?.when === 'during') {
        setTimeout(strike, INTO_COMMAND_MS);
      }
    });
    // The step's first call waits until the fault has taken hold. Ours do not: what strikes may call the load balancer itself, and would
    // wait for its own end; and who waits for the run has to see an interrupt.
    const stop = environment.endpoint.intercept({
      before: async ({ accessKeyId }) => {
        if (isAt && moment?.when === 'before' && accessKeyId !== CREDENTIALS.accessKeyId) await strike();
        return undefined;
      },
    });
    try {
      const id = await startRunbook(environment, direction, parameters);
      const execution = await waitForExecution(environment, id, interrupted);
      return { hit, run: { ended: execution.AutomationExecutionStatus ?? '', said: said(execution) } };
    } finally {
      stop();
      unsubscribe();
    }
  }
}

/** A client gives up after 10 s what nobody answers, and only then says so. Unit: milliseconds. */
const SETTLE_MS = 11_000;
const settle = () => new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
