/** The parts of the matrix on machines, under traffic: what befalls an instance, and what befalls the load balancer. */
import { type Case, describeCase } from '../../faults/case.ts';
import { beyondFaults, type Losses, noticed } from '../../faults/clients-seen.ts';
import { loadBalancerFaults } from '../../faults/load-balancer-faults.ts';
import { machineFaults } from '../../faults/machine-faults.ts';
import { type StepFault, StepFaults } from '../../faults/step-faults.ts';
import { LOAD_BALANCER } from '../../fleet.ts';
import type { RehearsalResult, Required } from '../../report/result.ts';
import { count } from '../../report/words.ts';
import type { Traffic } from '../../traffic/traffic.ts';
import { Hands } from '../drift/hands.ts';
import { type Play, played, type Stage } from '../judged.ts';
import type { ScenarioOptions } from '../options.ts';
import { createStack, fleetParameters, stackParameters, waitForStack } from '../stack.ts';
import type { FaultPart } from './faults.ts';

/** Run Command gives an agent up that is away for so long; on AWS an hour and two minutes, by the documents. */
const DELIVERY_TIMEOUT_MS = 8_000;

/** A fleet on which a switch takes ten seconds, whatever was asked for: the matrix is one and the same. */
const settings = (options: ScenarioOptions): ScenarioOptions => ({
  ...options,
  machines: 2,
  policyDelayMs: [100, 500],
  quietSeconds: 1,
  seconds: 2,
  webSockets: 60,
  cycles: 1,
  json: undefined,
  html: undefined,
  svg: undefined,
});

type Cast = (stage: Stage, traffic: Traffic) => StepFault[];

export const faultsOnAnInstance = onMachines('instances', ({ environment, fleet, interrupted }) => {
  const victim = fleet.instances.at(-1);
  if (victim === undefined) throw new Error('an instance is needed');
  return machineFaults(new Hands(environment, interrupted), victim);
});

export const faultsOfTheLoadBalancer = onMachines('load balancer', ({ environment, fleet }, traffic) =>
  loadBalancerFaults(environment, fleet.instances, traffic),
);

function onMachines(name: string, cast: Cast): FaultPart {
  return {
    name: name.replaceAll(' ', '-'),
    async run(options, interrupted, tell, faultNames) {
      let play: FaultPlay | undefined;
      const { result, shortfalls } = await played(
        settings(options),
        interrupted,
        (stage) => {
          play = new FaultPlay(name, stage, cast, tell, faultNames);
          return play;
        },
        { deliveryTimeoutMs: DELIVERY_TIMEOUT_MS },
      );
      return { shortfalls, traffic: trafficInWords(name, result, play?.cut) };
    },
  };
}

function trafficInWords(
  name: string,
  { newConnections, keepAlive, webSockets }: RehearsalResult,
  cut?: Losses,
): string {
  const lost = cut === undefined ? [] : noticed(cut);
  return `Under ${name}: ${count(newConnections.sent)} new connections, ${count(keepAlive.sent)} keep-alive requests, ${webSockets.opened} WebSockets; lost through what a fault itself cut off: ${lost.join(', ') || 'nothing'}; else nothing.`;
}

class FaultPlay implements Play {
  readonly title: string;
  readonly required: Partial<Required>;
  readonly #part: string;
  readonly #stage: Stage;
  readonly #cast: Cast;
  readonly #tell: (each: Case) => void;
  readonly #isWanted: (faultName: string) => boolean;
  #runs: StepFaults | undefined;

  constructor(
    part: string,
    stage: Stage,
    cast: Cast,
    tell: (each: Case) => void,
    isWanted: (faultName: string) => boolean,
  ) {
    this.title = `${LOAD_BALANCER}: faults, ${part}`;
    // Each run reloads nginx on every machine, some twice, and half of them meet a fault.
    this.required = { newConnections: 1_000, webSockets: stage.options.webSockets, resentAtMost: 400 };
    this.#part = part;
    this.#stage = stage;
    this.#cast = cast;
    this.#tell = tell;
    this.#isWanted = isWanted;
  }

  get cut(): Losses | undefined {
    return this.#runs?.cut;
  }

  beyond(result: RehearsalResult): RehearsalResult {
    return this.cut === undefined ? result : beyondFaults(result, this.cut);
  }

  async play(traffic: Traffic): Promise<string> {
    const { environment, fleet, options, interrupted } = this.#stage;
    await createStack(environment, { ...stackParameters(fleet, options), SwitchFromStack: 'No' });
    const status = await waitForStack(environment, interrupted);
    if (status !== 'CREATE_COMPLETE') return status;
    this.#runs = new StepFaults({
      part: this.#part,
      environment,
      fleet,
      parameters: fleetParameters(fleet, options),
      traffic,
      interrupted,
    });
    const faults = this.#cast(this.#stage, traffic).filter(({ name }) => this.#isWanted(name));
    for await (const each of this.#runs.cases(faults)) {
      this.#tell(each);
      if (process.stdout.isTTY !== true) console.log(`${describeCase(each)}${each.cut ? ` (cut: ${each.cut})` : ''}`);
    }
    return status;
  }
}
