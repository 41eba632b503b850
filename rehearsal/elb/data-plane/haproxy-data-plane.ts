/**
 * The load balancer's data plane: a set of HAProxy nodes for each load balancer, each with its own idea of the policies.
 *
 * AWS does not say how long a policy takes to reach a node; the nearest figure it gives is "within 30 seconds", for SSL
 * negotiation (Classic guide, elb-listener-config). So the delay is an option, drawn for each node and change.
 */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { ADDRESSES, type Fabric } from '../../network/fabric.ts';
import type { Subnet, World } from '../../world.ts';
import type { Configuration, DataPlane, InstanceHealth } from '../data-plane.ts';
import { type Certificate, createCertificate } from './certificate.ts';
import { instancesOf, type Kind } from './haproxy-config.ts';
import { type HaproxyLocation, Node, type NodeView } from './node.ts';

export interface HaproxyDataPlaneOptions {
  readonly world: World;
  readonly fabric: Pick<Fabric, 'addHost' | 'removeHost'>;
  /** Each node keeps its files in one of its own below it. */
  readonly directory: string;
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
  /** Instances that are on their way out, and what ends their connections. */
  readonly draining: Map<string, NodeJS.Timeout>;
  readonly timers: Set<NodeJS.Timeout>;
}

/** Enough addresses for the certificate of a run: nodes of several load balancers, and those added later. */
const CERTIFICATE_ADDRESSES = 32;

export class HaproxyDataPlane implements DataPlane, AsyncDisposable {
  readonly #options: HaproxyDataPlaneOptions;
  readonly #certificate: Certificate;
  readonly #balancers = new Map<string, Balancer>();
  readonly #addresses = new Set<string>();

  constructor(options: HaproxyDataPlaneOptions) {
    this.#options = options;
    const nodeAddresses = Array.from({ length: CERTIFICATE_ADDRESSES }, (_, index) => ADDRESSES.node(index));
    this.#certificate = createCertificate(['*.eu-central-1.elb.amazonaws.com', ...nodeAddresses]);
  }

  /** What clients of SSL listeners trust. PEM. */
  get certificatePem(): string {
    return this.#certificate.certificatePem;
  }

  async create(configuration: Configuration, subnets: readonly Subnet[]): Promise<void> {
    const { loadBalancerName } = configuration;
    this.#balancers.set(loadBalancerName, {
      configuration,
      subnets,
      nodes: [],
      changes: new Map(),
      arrived: new WeakMap(),
      draining: new Map(),
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
    await this.#guard(balancer);
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
    for (const timer of [...balancer.timers, ...balancer.draining.values()]) clearTimeout(timer);
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
          instancesOf(configuration, node.subnet.availabilityZone).some((each) => each.instanceId === instanceId),
        )
        .flatMap(({ health }) => health.get(instanceId) ?? []);
      if (opinions.length === 0) continue;
      const failing = opinions.filter(({ isUp }) => !isUp);
      if (failing.length === 0) result.set(instanceId, IN_SERVICE);
      else if (failing.every(({ lastCheck }) => /^(INI|L[467]OK)/.test(lastCheck))) result.set(instanceId, IN_PROGRESS);
      else result.set(instanceId, FAILED);
    }
    for (const instanceId of draining.keys()) result.set(instanceId, DRAINING);
    return result;
  }

  /** @param subnet  default: the load balancer's subnets in turn @returns the new node's address */
  async addNode(loadBalancerName: string, subnet?: Subnet): Promise<string> {
    const balancer = this.#balancer(loadBalancerName);
    const where = subnet ?? balancer.subnets[balancer.nodes.length % balancer.subnets.length];
    if (where === undefined) throw new Error(`${loadBalancerName} has no subnet`);
    const address = this.#freeAddress(where);
    this.#addresses.add(address);
    const host = await this.#options.fabric.addHost(hostName(address), [address]);
    const networkInterface = {
      networkInterfaceId: `eni-0${randomBytes(8).toString('hex')}`,
      // Source: what EC2 shows for the nodes of a Classic ELB (facts of the field, not documented).
      description: `ELB ${loadBalancerName}`,
      privateIpAddress: address,
      subnetId: where.subnetId,
      securityGroupIds: balancer.configuration.securityGroupIds,
    };
    const node = new Node(
      {
        loadBalancerName,
        host,
        networkInterface,
        subnet: where,
        directory: path.join(this.#options.directory, hostName(address)),
        certificate: this.#certificate,
        haproxy: this.#options.haproxy,
      },
      balancer.configuration,
    );
    balancer.nodes.push(node);
    await node.start();
    this.#options.world.networkInterfaces.set(networkInterface.networkInterfaceId, networkInterface);
    await this.#options.world.networkChanged();
    return address;
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
    return this.#balancer(loadBalancerName).nodes.map((node) => node.address);
  }

  nodes(loadBalancerName: string): Promise<readonly NodeView[]> {
    return Promise.all(this.#balancer(loadBalancerName).nodes.map((node) => node.view()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const name of [...this.#balancers.keys()]) await this.delete(name);
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
        min + random() * (max - min),
      );
      balancer.timers.add(timer);
    }
  }

  #drain(balancer: Balancer, before: Configuration, after: Configuration): void {
    const registered = new Set(after.instances.map(({ instanceId }) => instanceId));
    for (const instanceId of registered) {
      clearTimeout(balancer.draining.get(instanceId));
      balancer.draining.delete(instanceId);
    }
    for (const { instanceId } of before.instances) {
      if (registered.has(instanceId)) continue;
      const end = () => {
        balancer.draining.delete(instanceId);
        for (const node of balancer.nodes) {
          node.endConnectionsTo(instanceId).catch((error: unknown) => this.#options.log?.(String(error)));
        }
      };
      if (after.drainingSeconds === undefined) end();
      else balancer.draining.set(instanceId, setTimeout(end, after.drainingSeconds * 1000));
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
    this.#options.world.networkInterfaces.delete(node.networkInterface.networkInterfaceId);
    await node.stop();
    await this.#options.fabric.removeHost(hostName(node.address));
    this.#addresses.delete(node.address);
    await this.#options.world.networkChanged();
  }

  /** The nodes' interfaces are in the groups that the load balancer is in now. */
  async #guard({ configuration: { securityGroupIds }, nodes }: Balancer): Promise<void> {
    const { world } = this.#options;
    for (const { networkInterface } of nodes) {
      const { networkInterfaceId } = networkInterface;
      world.networkInterfaces.set(networkInterfaceId, { ...networkInterface, securityGroupIds });
    }
    await world.networkChanged();
  }

  #freeAddress(subnet: Subnet): string {
    for (let index = 0; index < 400; index++) {
      const address = ADDRESSES.node(index);
      if (isInside(address, subnet.cidrBlock) && !this.#addresses.has(address)) return address;
    }
    throw new Error(`No address for a node is left in ${subnet.subnetId} (${subnet.cidrBlock})`);
  }

  #balancer(loadBalancerName: string): Balancer {
    const balancer = this.#balancers.get(loadBalancerName);
    if (balancer === undefined) throw new Error(`The data plane has no load balancer '${loadBalancerName}'`);
    return balancer;
  }

  #node(loadBalancerName: string, address: string): Node {
    const node = this.#balancer(loadBalancerName).nodes.find((each) => each.address === address);
    if (node === undefined) throw new Error(`${loadBalancerName} has no node ${address}`);
    return node;
  }
}

const hostName = (address: string) => `node-${address.replaceAll('.', '-')}`;

/** Policies and security groups apart, everything needs the nodes' configuration to be written anew. */
const withoutPolicies = ({ proxyPorts: _, securityGroupIds: __, ...rest }: Configuration) => JSON.stringify(rest);

export function isInside(address: string, cidrBlock: string): boolean {
  const [network = '', length = '32'] = cidrBlock.split('/');
  const shift = 32 - Number(length);
  const bits = (text: string) => text.split('.').reduce((value, part) => value * 256 + Number(part), 0);
  return Math.floor(bits(address) / 2 ** shift) === Math.floor(bits(network) / 2 ** shift);
}

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
