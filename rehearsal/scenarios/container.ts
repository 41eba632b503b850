/**
 * `npm run rehearse -- container`: PROXY protocol on and off again in front of instances that run the container, as its page says it: by
 * the two commands of the load balancer's API, and by an exec in each container before and after.
 */
import {
  CreateLoadBalancerPolicyCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { INSTANCE_PORTS, startContainerFleet } from '../containers/container-fleet.ts';
import { LOAD_BALANCER } from '../fleet.ts';
import type { Required } from '../report/result.ts';
import type { ReceiverMode } from '../traffic/client-address.ts';
import type { Traffic } from '../traffic/traffic.ts';
import type { Instance } from '../world.ts';
import { judged, type Play, type Stage } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { pause } from './pause.ts';

const POLICY = 'proxyProtocol-policy';
/** How long nothing may have come without a line before a container requires one. Unit: seconds. */
const QUIET_SECONDS = 6;

export function container(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const onAndOff = { ...options, cycles: 1 };
  return judged(onAndOff, interrupted, (stage) => new ContainerWalk(stage), { fleet: startContainerFleet });
}

/** As `receiver measure` prints it. */
interface Measured {
  readonly mode: ReceiverMode;
  /** Port, peer, kind, connections, seconds since the last one. */
  readonly seen: readonly (readonly [string, string, 'plain' | 'proxy', number, number])[];
}

class ContainerWalk implements Play {
  readonly title = `${LOAD_BALANCER}: the container, PROXY protocol on and off`;
  readonly required: Partial<Required>;
  readonly #stage: Stage;
  readonly #steps: string[] = [];
  readonly #wrong: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
    this.required = { newConnections: 1_000, webSockets: stage.options.webSockets };
  }

  async play(traffic: Traffic): Promise<string> {
    const { environment, options, interrupted } = this.#stage;
    await this.#take('plain', 'both', traffic);
    await environment.clients.elb.send(
      new CreateLoadBalancerPolicyCommand({
        LoadBalancerName: LOAD_BALANCER,
        PolicyName: POLICY,
        PolicyTypeName: 'ProxyProtocolPolicyType',
        PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
      }),
    );
    await this.#setPolicies([POLICY]);
    await this.#take('both', 'proxy', traffic, '--quiet', String(QUIET_SECONDS));
    await pause(options.seconds * 1000, interrupted);

    await this.#take('proxy', 'both', traffic);
    await this.#setPolicies([]);
    // Any client can send a line, so that none coming would prove nothing; the page says to wait some minutes.
    await pause(options.policyDelayMs[1] + 2_000, interrupted);
    await this.#expectPlainConnections();
    await this.#take('both', 'plain', traffic);
    return 'NONE';
  }

  details() {
    return { steps: this.#steps };
  }

  lines(): readonly string[] {
    return this.#steps;
  }

  shortfalls(): readonly string[] {
    return this.#wrong;
  }

  /** All containers at once: each answers when it has the mode. */
  async #take(from: ReceiverMode, to: ReceiverMode, traffic: Traffic, ...more: string[]): Promise<void> {
    await traffic.phase(`${from} → ${to}`, [from, to]);
    const answers = await Promise.all(
      this.#stage.fleet.instances.map((instance) => this.#receiver(instance, 'mode', to, ...more)),
    );
    await traffic.phase(to, [to]);
    this.#steps.push(`${from} → ${to}: ${answers.join(' ')}`);
  }

  async #setPolicies(PolicyNames: string[]): Promise<void> {
    for (const InstancePort of INSTANCE_PORTS) {
      await this.#stage.environment.clients.elb.send(
        new SetLoadBalancerPoliciesForBackendServerCommand({
          LoadBalancerName: LOAD_BALANCER,
          InstancePort,
          PolicyNames,
        }),
      );
    }
    this.#steps.push(`policies of instance ports ${INSTANCE_PORTS.join(' and ')}: ${PolicyNames.join(', ') || 'none'}`);
  }

  /** Every node has been seen to send none, lately, on every port and to every container. */
  async #expectPlainConnections(): Promise<void> {
    for (const instance of this.#stage.fleet.instances) {
      const { seen } = JSON.parse(await this.#receiver(instance, 'measure')) as Measured;
      const pairs = seen
        .filter(([, , kind, , age]) => kind === 'plain' && age < 2)
        .map(([port, peer]) => `${peer}:${port}`);
      const wanted = this.#stage.options.nodes * INSTANCE_PORTS.length;
      if (pairs.length !== wanted) {
        this.#wrong.push(
          `${instance.machine.name} sees connections without a line from ${pairs.join(', ') || 'nobody'}`,
        );
      }
    }
  }

  async #receiver({ machine }: Instance, ...words: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await machine.exec(['receiver', ...words]);
    if (exitCode !== 0) throw new Error(`instance ${machine.name}: receiver ${words.join(' ')}: ${stderr.trim()}`);
    return stdout.trim();
  }
}
