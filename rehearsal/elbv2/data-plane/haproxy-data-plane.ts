/** The data plane of Application Load Balancers: a set of HAProxy nodes for each. */
import { Draining } from '../../nodes/draining.ts';
import type { CheckedHealth, HaproxyLocation } from '../../nodes/haproxy-process.ts';
import type { NodePlaces } from '../../nodes/node-places.ts';
import type { Subnet } from '../../world.ts';
import type { Configuration, DataPlane, Target, TargetGroupConfiguration, TargetHealth } from '../data-plane.ts';
import { healthBackend, serverName } from './haproxy-config.ts';
import { Node } from './node.ts';

export interface AlbDataPlaneOptions {
  readonly places: NodePlaces;
  readonly haproxy: HaproxyLocation;
  /** Nodes for each load balancer, spread over its subnets. Default 2. */
  readonly nodes?: number;
  /** Mistakes of changes that nobody waits for. Default: nothing. */
  readonly log?: (line: string) => void;
}

interface Balancer {
  configuration: Configuration;
  readonly nodes: Node[];
  readonly draining: Draining;
}

type TargetName = Pick<TargetHealth, 'targetGroupArn' | 'instanceId' | 'port'>;

export class AlbDataPlane implements DataPlane, AsyncDisposable {
  readonly #options: AlbDataPlaneOptions;
  readonly #balancers = new Map<string, Balancer>();

  constructor(options: AlbDataPlaneOptions) {
    this.#options = options;
  }

  /** What clients of HTTPS listeners trust. PEM. */
  get certificatePem(): string {
    return this.#options.places.certificate.certificatePem;
  }

  async create(configuration: Configuration, subnets: readonly Subnet[]): Promise<void> {
    const { loadBalancerArn } = configuration;
    const nodes: Node[] = [];
    const draining = new Draining({
      end: (key) => this.#endConnectionsTo(nodes, fromKey(key)),
      isIdle: (key) => isIdle(nodes, fromKey(key)),
    });
    this.#balancers.set(loadBalancerArn, { configuration, nodes, draining });
    try {
      // One in each subnet at least: a subnet without a node would not be one of the load balancer's.
      const count = Math.max(this.#options.nodes ?? 2, subnets.length);
      for (let index = 0; index < count; index++) {
        const subnet = subnets[index % subnets.length];
        if (subnet !== undefined) await this.#addNode(nodes, configuration, subnet);
      }
    } catch (error) {
      await this.delete(loadBalancerArn);
      throw error;
    }
  }

  async update(configuration: Configuration): Promise<void> {
    const { loadBalancerArn, securityGroupIds } = configuration;
    const balancer = this.#balancer(loadBalancerArn);
    const { configuration: before, nodes, draining } = balancer;
    balancer.configuration = configuration;
    await this.#options.places.show(
      nodes.map(({ place }) => place),
      securityGroupIds,
    );
    if (withoutGroups(before) === withoutGroups(configuration)) return;
    await Promise.all(nodes.map((node) => node.apply(configuration)));
    await endDeletedListeners(nodes, before, configuration);
    drain(draining, before, configuration);
  }

  async delete(loadBalancerArn: string): Promise<void> {
    const balancer = this.#balancers.get(loadBalancerArn);
    if (balancer === undefined) return;
    this.#balancers.delete(loadBalancerArn);
    balancer.draining.close();
    for (const node of balancer.nodes) {
      await node.stop();
      await this.#options.places.release(node.place);
    }
  }

  /** Healthy is what every node finds up. That AWS's nodes agree in this way is assumed. */
  async health(loadBalancerArn: string): Promise<readonly TargetHealth[]> {
    const { configuration, nodes, draining } = this.#balancer(loadBalancerArn);
    const seen = (await Promise.all(nodes.map((node) => node.health()))).flat();
    const registered = configuration.targetGroups.flatMap((group) =>
      group.targets.flatMap((target): TargetHealth[] => {
        const opinions = seen.filter(
          ({ backend, server }) => backend === healthBackend(group.arn) && server === serverName(target),
        );
        if (opinions.length === 0) return [];
        return [{ ...named(group, target), ...judged(opinions, group.healthCheck.codes) }];
      }),
    );
    const leaving = draining.keys.map((key): TargetHealth => ({ ...fromKey(key), ...DRAINING }));
    return [...registered, ...leaving];
  }

  /** What the load balancer's name resolves to. */
  addresses(loadBalancerArn: string): readonly string[] {
    return this.#balancer(loadBalancerArn).nodes.map(({ place }) => place.address);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const arn of [...this.#balancers.keys()]) await this.delete(arn);
  }

  async #addNode(nodes: Node[], configuration: Configuration, subnet: Subnet): Promise<void> {
    const { places, haproxy } = this.#options;
    const { loadBalancerArn, securityGroupIds } = configuration;
    // `ELB app/<name>/<id>`. Source: AWS re:Post, "What source IP address do load balancers use for traffic to web servers?".
    const description = `ELB ${loadBalancerArn.slice(loadBalancerArn.indexOf('loadbalancer/') + 'loadbalancer/'.length)}`;
    const place = await places.take(subnet, description, securityGroupIds);
    const node = new Node(place, haproxy, places.certificate, configuration);
    nodes.push(node);
    await node.start();
    await places.show([place], securityGroupIds);
  }

  #endConnectionsTo(nodes: readonly Node[], target: TargetName): void {
    for (const node of nodes) {
      node.endConnectionsTo(target.targetGroupArn, target).catch((error) => this.#options.log?.(String(error)));
    }
  }

  #balancer(loadBalancerArn: string): Balancer {
    const balancer = this.#balancers.get(loadBalancerArn);
    if (balancer === undefined) throw new Error(`The data plane has no load balancer '${loadBalancerArn}'`);
    return balancer;
  }
}

/** Security groups apart, everything needs the nodes' configuration to be written anew. */
const withoutGroups = ({ securityGroupIds: _, ...rest }: Configuration): string => JSON.stringify(rest);

const named = ({ arn }: TargetGroupConfiguration, { instanceId, port }: Target): TargetName => ({
  targetGroupArn: arn,
  instanceId,
  port,
});
const toKey = ({ targetGroupArn, instanceId, port }: TargetName): string => `${targetGroupArn} ${instanceId} ${port}`;
function fromKey(key: string): TargetName {
  const [targetGroupArn = '', instanceId = '', port] = key.split(' ');
  return { targetGroupArn, instanceId, port: Number(port) };
}

async function isIdle(nodes: readonly Node[], target: TargetName): Promise<boolean> {
  const counts = await Promise.all(nodes.map((node) => node.connectionsTo(target.targetGroupArn, target)));
  return counts.every((count) => count === 0);
}

async function endDeletedListeners(nodes: readonly Node[], before: Configuration, after: Configuration): Promise<void> {
  const kept = new Set(after.listeners.map(({ port }) => port));
  for (const { port } of before.listeners) {
    if (!kept.has(port)) await Promise.all(nodes.map((node) => node.endConnectionsOf(port)));
  }
}

/** Also when its whole target group is no longer forwarded to. */
function drain(draining: Draining, before: Configuration, after: Configuration): void {
  const keysOf = ({ targetGroups }: Configuration): Map<string, number> =>
    new Map(
      targetGroups.flatMap((group) =>
        group.targets.map((target): [string, number] => [toKey(named(group, target)), group.drainingSeconds]),
      ),
    );
  const registered = keysOf(after);
  for (const key of registered.keys()) draining.cancel(key);
  for (const [key, seconds] of keysOf(before)) {
    if (!registered.has(key)) draining.begin(key, seconds === 0 ? undefined : seconds);
  }
}

/** Reasons and descriptions are those of the API reference, TargetHealth. */
function judged(
  opinions: readonly CheckedHealth[],
  codes: string,
): Pick<TargetHealth, 'state' | 'reason' | 'description'> {
  const failing = opinions.filter(({ isUp }) => !isUp);
  const [worst] = failing.filter(({ lastCheck }) => !/^(|INI|L[467]OK)$/.test(lastCheck));
  if (worst !== undefined) return { state: 'unhealthy', ...failure(worst.lastCheck, codes) };
  if (failing.length > 0) {
    return {
      state: 'initial',
      reason: 'Elb.InitialHealthChecking',
      description: 'Initial health checks in progress',
    };
  }
  return { state: 'healthy', reason: undefined, description: undefined };
}

function failure(lastCheck: string, codes: string): Pick<TargetHealth, 'reason' | 'description'> {
  if (lastCheck === 'L7STS') {
    return { reason: 'Target.ResponseCodeMismatch', description: `Health checks did not return one of [${codes}]` };
  }
  if (lastCheck.endsWith('TOUT')) return { reason: 'Target.Timeout', description: 'Request timed out' };
  return { reason: 'Target.FailedHealthChecks', description: 'Health checks failed' };
}

const DRAINING = {
  state: 'draining',
  reason: 'Target.DeregistrationInProgress',
  description: 'Target deregistration is in progress',
} as const;
