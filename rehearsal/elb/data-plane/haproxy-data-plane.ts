/**
 * The load balancer's data plane: a set of HAProxy nodes for each load balancer, each with its own idea of the policies.
 *
 * AWS does not say how long a policy takes to reach a node; the nearest figure it gives is "within 30 seconds", for SSL
 * negotiation (Classic guide, elb-listener-config). So the delay is an option, drawn for each node and change.
 */
import { Draining } from '../../nodes/draining.ts';
import type { HaproxyLocation } from '../../nodes/haproxy-process.ts';
import type { NodePlaces } from '../../nodes/node-places.ts';
import type { Subnet } from '../../world.ts';
import type { Configuration, DataPlane, InstanceHealth } from '../data-plane.ts';
import { instancesOf, type Kind } from './haproxy-config.ts';
import { Node, type NodeView } from './node.ts';

export interface HaproxyDataPlaneOptions {
  readonly places: NodePlaces;
  readonly haproxy: HaproxyLocation;
  /** Nodes for each load balancer, spread over its subnets. Default 2. */
  readonly nodes?: number;
  /** How long a policy takes to reach a node. Unit: milliseconds. Default 500 to 4,000. */
  readonly policyDelayMs?: { readonly min: number; readonly max: number };
  /** From 0 up to, not including, 1. Default `Math.random`. */
  readonly random?: () => number;
  /** Mistakes of changes that nobody waits for. Default: nothing. */
  readonly log?: (line: string) => void;
}

interface Balancer {
  configuration: Configuration;
  readonly subnets: readonly Subnet[];
  readonly nodes: Node[];
  /** By instance port: how many policy changes there were, and which of them each node has. */
  readonly changes: Map<number, number>;
  readonly arrived: WeakMap<Node, Map<number, number>>;
  /** By instance id. */
  readonly draining: Draining;
  readonly timers: Set<NodeJS.Timeout>;
}

export class HaproxyDataPlane implements DataPlane, AsyncDisposable {
  readonly #options: HaproxyDataPlaneOptions;
  readonly #balancers = new Map<string, Balancer>();
  readonly #late = new Map<string, number>();

  constructor(options: HaproxyDataPlaneOptions) {
    this.#options = options;
  }

  /** What clients of SSL listeners trust. PEM. */
  get certificatePem(): string {
    return this.#options.places.certificate.certificatePem;
  }

  async create(configuration: Configuration, subnets: readonly Subnet[]): Promise<void> {
    const { loadBalancerName } = configuration;
    const nodes: Node[] = [];
    const end = (instanceId: string): void => {
      for (const node of nodes) {
        node.endConnectionsTo(instanceId).catch((error: unknown) => this.#options.log?.(String(error)));
      }
    };
    this.#balancers.set(loadBalancerName, {
      configuration,
      subnets,
      nodes,
      changes: new Map(),
      arrived: new WeakMap(),
      draining: new Draining({ end }),
      timers: new Set(),
    });
    try {
      // One in each subnet at least: a subnet without a node would not be one of the load balancer's.
      const count = Math.max(this.#options.nodes ?? 2, subnets.length);
      for (let index = 0; index < count; index++) await this.addNode(loadBalancerName, subnets[index % subnets.length]);
    } catch (error) {
      await this.delete(loadBalancerName);
      throw error;
    }
  }

  async update(configuration: Configuration): Promise<void> {
    const balancer = this.#balancer(configuration.loadBalancerName);
    const before = balancer.configuration;
    balancer.configuration = configuration;
    await this.#options.places.show(
      balancer.nodes.map(({ place }) => place),
      configuration.securityGroupIds,
    );
    if (withoutPolicies(before) !== withoutPolicies(configuration)) {
      await Promise.all(balancer.nodes.map((node) => node.apply(configuration)));
      await this.#endDeletedListeners(balancer, before, configuration);
      this.#drain(balancer, before, configuration);
    }
    for (const port of new Set([...before.proxyPorts, ...configuration.proxyPorts])) {
      const [was, is] = [before, configuration].map(({ proxyPorts }) => proxyPorts.includes(port));
      if (was !== is) this.#spreadPolicy(balancer, port, is === true ? 'proxy' : 'plain');
    }
  }

  async delete(loadBalancerName: string): Promise<void> {
    const balancer = this.#balancers.get(loadBalancerName);
    if (balancer === undefined) return;
    this.#balancers.delete(loadBalancerName);
    for (const timer of balancer.timers) clearTimeout(timer);
    balancer.draining.close();
    for (const node of balancer.nodes) await this.#dispose(node);
  }

  /** In service is what every node that sends to it finds up. That AWS's nodes agree in this way is assumed. */
  async health(loadBalancerName: string): Promise<ReadonlyMap<string, InstanceHealth>> {
    const { configuration, nodes, draining } = this.#balancer(loadBalancerName);
    const seen = await Promise.all(
      nodes.filter((node) => node.isRunning).map(async (node) => ({ node, health: await node.health() })),
    );
    const result = new Map<string, InstanceHealth>();
    for (const { instanceId } of configuration.instances) {
      const opinions = seen
        .filter(({ node }) =>
          instancesOf(configuration, node.place.subnet.availabilityZone).some((each) => each.instanceId === instanceId),
        )
        .flatMap(({ health }) => health.get(instanceId) ?? []);
      if (opinions.length === 0) continue;
      const failing = opinions.filter(({ isUp }) => !isUp);
      if (failing.length === 0) result.set(instanceId, IN_SERVICE);
      else if (failing.every(({ lastCheck }) => /^(INI|L[467]OK)/.test(lastCheck))) result.set(instanceId, IN_PROGRESS);
      else result.set(instanceId, FAILED);
    }
    for (const instanceId of draining.keys) result.set(instanceId, DRAINING);
    return result;
  }

  /** @param subnet  default: the load balancer's subnets in turn @returns the new node's address */
  async addNode(loadBalancerName: string, subnet?: Subnet): Promise<string> {
    const balancer = this.#balancer(loadBalancerName);
    const where = subnet ?? balancer.subnets[balancer.nodes.length % balancer.subnets.length];
    if (where === undefined) throw new Error(`${loadBalancerName} has no subnet`);
    const { places, haproxy } = this.#options;
    const { configuration, nodes } = balancer;
    // Source of the description: what EC2 shows for the nodes of a Classic ELB (facts of the field, not documented).
    const place = await places.take(where, `ELB ${loadBalancerName}`, configuration.securityGroupIds);
    const node = new Node(place, haproxy, places.certificate, configuration);
    nodes.push(node);
    await node.start();
    await places.show([place], configuration.securityGroupIds);
    return place.address;
  }

  /** As a scale-in: its connections end, its address and its network interface go. */
  async removeNode(loadBalancerName: string, address: string): Promise<void> {
    const { nodes } = this.#balancer(loadBalancerName);
    const node = this.#node(loadBalancerName, address);
    nodes.splice(nodes.indexOf(node), 1);
    await this.#dispose(node);
  }

  /** As a failure: its connections end, its address stays and answers nothing until `startNode`. */
  stopNode(loadBalancerName: string, address: string): Promise<void> {
    return this.#node(loadBalancerName, address).stop();
  }

  startNode(loadBalancerName: string, address: string): Promise<void> {
    return this.#node(loadBalancerName, address).start();
  }

  /** What the load balancer's name resolves to. */
  addresses(loadBalancerName: string): readonly string[] {
    return this.#balancer(loadBalancerName).nodes.map((node) => node.place.address);
  }

  nodes(loadBalancerName: string): Promise<readonly NodeView[]> {
    return Promise.all(this.#balancer(loadBalancerName).nodes.map((node) => node.view()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#balancers.keys()]) await this.delete(name);
  }

  /** Fault: the next changes of policies reach this node so much later than any other. 0 = as the others. Unit: milliseconds. */
  delayPolicies(address: string, milliseconds: number): void {
    this.#late.set(address, milliseconds);
  }

  #spreadPolicy(balancer: Balancer, instancePort: number, kind: Kind): void {
    const { min, max } = this.#options.policyDelayMs ?? { min: 500, max: 4000 };
    const random = this.#options.random ?? Math.random;
    const change = (balancer.changes.get(instancePort) ?? 0) + 1;
    balancer.changes.set(instancePort, change);
    for (const node of balancer.nodes) {
      const timer = setTimeout(
        () => {
          balancer.timers.delete(timer);
          // A node that already has a newer change keeps it: delays of two changes may cross.
          const arrived = balancer.arrived.get(node) ?? new Map<number, number>();
          if ((arrived.get(instancePort) ?? 0) > change) return;
          balancer.arrived.set(node, arrived.set(instancePort, change));
          node.setPolicy(instancePort, kind).catch((error: unknown) => this.#options.log?.(String(error)));
        },
        min + random() * (max - min) + (this.#late.get(node.place.address) ?? 0),
      );
      balancer.timers.add(timer);
    }
  }

  #drain({ draining }: Balancer, before: Configuration, after: Configuration): void {
    const registered = new Set(after.instances.map(({ instanceId }) => instanceId));
    for (const instanceId of registered) draining.cancel(instanceId);
    for (const { instanceId } of before.instances) {
      if (!registered.has(instanceId)) draining.begin(instanceId, after.drainingSeconds);
    }
  }

  async #endDeletedListeners(balancer: Balancer, before: Configuration, after: Configuration): Promise<void> {
    const kept = new Set(after.listeners.map(({ loadBalancerPort }) => loadBalancerPort));
    for (const { loadBalancerPort } of before.listeners) {
      if (kept.has(loadBalancerPort)) continue;
      await Promise.all(balancer.nodes.map((node) => node.endConnectionsOf(loadBalancerPort)));
    }
  }

  async #dispose(node: Node): Promise<void> {
    await node.stop();
    await this.#options.places.release(node.place);
  }

  #balancer(loadBalancerName: string): Balancer {
    const balancer = this.#balancers.get(loadBalancerName);
    if (balancer === undefined) throw new Error(`The data plane has no load balancer '${loadBalancerName}'`);
    return balancer;
  }

  #node(loadBalancerName: string, address: string): Node {
    const node = this.#balancer(loadBalancerName).nodes.find(({ place }) => place.address === address);
    if (node === undefined) throw new Error(`${loadBalancerName} has no node ${address}`);
    return node;
  }
}

/** Policies and security groups apart, everything needs the nodes' configuration to be written anew. */
const withoutPolicies = ({ proxyPorts: _, securityGroupIds: __, ...rest }: Configuration) => JSON.stringify(rest);

/** The words are those of the API reference, InstanceState. */
const IN_SERVICE = { state: 'InService', reasonCode: 'N/A', description: 'N/A' } as const;
const IN_PROGRESS = {
  state: 'OutOfService',
  reasonCode: 'ELB',
  description: 'Instance registration is still in progress.',
} as const;
const FAILED = {
  state: 'OutOfService',
  reasonCode: 'Instance',
  description: 'Instance has failed at least the UnhealthyThreshold number of health checks consecutively.',
} as const;
const DRAINING = {
  state: 'InService',
  reasonCode: 'N/A',
  description: 'Instance deregistration currently in progress.',
} as const;
