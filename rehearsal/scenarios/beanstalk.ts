/**
 * `npm run rehearse -- beanstalk`: an environment with a Classic Load Balancer gets the PROXY protocol by a deployment, and loses it by
 * another. When Beanstalk changes the load balancer is not documented: so here it does when that hurts most, before the deployment that
 * adds the policy, and behind the one that removes it.
 */
import {
  CreateLoadBalancerPolicyCommand,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { bundles, startBeanstalkFleet } from '../beanstalk/beanstalk-fleet.ts';
import { type Bundle, deploy, type OptionSettings, run } from '../beanstalk/platform.ts';
import { LOAD_BALANCER } from '../fleet.ts';
import type { Required } from '../report/result.ts';
import type { ReceiverMode } from '../traffic/client-address.ts';
import type { Traffic } from '../traffic/traffic.ts';
import { judged, type Play, type Stage } from './judged.ts';
import type { ScenarioOptions } from './options.ts';
import { pause } from './pause.ts';
import { receiverMode } from './receiver-mode.ts';

const POLICY = 'proxyflip';
/** A minute is what ships. Unit: seconds. */
const QUIET = { PROXYFLIP_QUIET_SECONDS: '6' };
const SETTLE_LIMIT_MS = 60_000;
/** Each deployment reloads nginx on every instance at once, which closes every idle connection of each of the 24 keep-alive clients. */
const RESENT_AT_MOST = 48;

export function beanstalk(options: ScenarioOptions, interrupted: AbortSignal): Promise<number> {
  const onAndOff: ScenarioOptions = { ...options, cycles: 1, image: 'amazon' };
  return judged(onAndOff, interrupted, (stage) => new Deployments(stage), { fleet: startBeanstalkFleet });
}

class Deployments implements Play {
  readonly title = `${LOAD_BALANCER}: Elastic Beanstalk, PROXY protocol on and off by deployments`;
  readonly required: Partial<Required>;
  readonly #stage: Stage;
  readonly #steps: string[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
    this.required = { newConnections: 1_000, webSockets: stage.options.webSockets, resentAtMost: RESENT_AT_MOST };
  }

  async play(traffic: Traffic): Promise<string> {
    const { options, interrupted } = this.#stage;
    const { without, withPolicy } = bundles();
    await this.#setPolicies(withPolicy.optionSettings);
    await traffic.phase('both → proxy', ['both', 'proxy']);
    await this.#deploy(withPolicy, 'hooks');
    await this.#waitForMode('proxy');
    await this.#expectConnections();
    await traffic.phase('proxy');
    await pause(options.seconds * 1000, interrupted);

    await traffic.phase('proxy → both', ['proxy', 'both']);
    await this.#deploy(without, 'confighooks');
    await this.#waitForMode('both');
    await traffic.phase('both', ['both']);
    await this.#setPolicies(without.optionSettings);
    await pause(options.policyDelayMs[1] + 1_000, interrupted);
    return 'NONE';
  }

  details() {
    return { steps: this.#steps };
  }

  lines(): readonly string[] {
    return this.#steps;
  }

  /** All at once, as Beanstalk does by default. */
  async #deploy(bundle: Bundle, kind: 'hooks' | 'confighooks'): Promise<void> {
    await Promise.all(this.#stage.fleet.instances.map(({ machine }) => deploy(machine, bundle, kind, QUIET)));
    this.#steps.push(`deployed, ${kind}: receivers in ${this.#modes().join(', ')}`);
  }

  async #waitForMode(mode: ReceiverMode): Promise<void> {
    const limit = Date.now() + SETTLE_LIMIT_MS;
    while (this.#modes().some((each) => each !== mode)) {
      if (Date.now() > limit) throw new Error(`receivers are in ${this.#modes().join(', ')} and not in ${mode}`);
      await pause(200, this.#stage.interrupted);
    }
    this.#steps.push(`receivers in ${this.#modes().join(', ')}`);
  }

  /** What Beanstalk's own file has would not do for WebSockets; nginx runs with what the hook has put there. */
  async #expectConnections(): Promise<void> {
    for (const { machine } of this.#stage.fleet.instances)
      await run(machine, 'nginx -T 2>&1 | grep -q "worker_connections 16384;"');
  }

  #modes(): string[] {
    return this.#stage.fleet.instances.map(receiverMode);
  }

  /** What Beanstalk makes of `aws:elb:policies:proxyflip`; `:all` is every instance port that a listener feeds. */
  async #setPolicies(settings: OptionSettings): Promise<void> {
    const { elb } = this.#stage.environment.clients;
    const wanted = settings[`aws:elb:policies:${POLICY}`];
    const { listeners } = this.#stage.environment.elb.loadBalancers.get(LOAD_BALANCER);
    if (wanted !== undefined) {
      if (wanted.InstancePorts !== ':all')
        throw new Error(`InstancePorts is ${wanted.InstancePorts}, which is not played`);
      await elb.send(
        new CreateLoadBalancerPolicyCommand({
          LoadBalancerName: LOAD_BALANCER,
          PolicyName: POLICY,
          PolicyTypeName: 'ProxyProtocolPolicyType',
          PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: String(wanted.ProxyProtocol) }],
        }),
      );
    }
    const ports = [...listeners.values()].map((listener) => listener.instancePort);
    for (const InstancePort of ports) {
      await elb.send(
        new SetLoadBalancerPoliciesForBackendServerCommand({
          LoadBalancerName: LOAD_BALANCER,
          InstancePort,
          PolicyNames: wanted === undefined ? [] : [POLICY],
        }),
      );
    }
    this.#steps.push(`policies of instance ports ${ports.join(' and ')}: ${wanted === undefined ? 'none' : POLICY}`);
  }
}
