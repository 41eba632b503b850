/** The load balancers of the account: their state, and what of it the data plane has to know. */

import { ServiceError } from '../aws/service.ts';
import type { Subnet, World } from '../world.ts';
import { REGION } from '../world.ts';
import type { Configuration, DataPlane, HealthCheckConfiguration, Protocol } from './data-plane.ts';
import { isProxyProtocol, type Policy } from './policy-types.ts';

export interface Listener {
  readonly loadBalancerPort: number;
  readonly protocol: Protocol;
  readonly instanceProtocol: Protocol;
  readonly instancePort: number;
  readonly sslCertificateId: string | undefined;
  policyNames: readonly string[];
}

export interface Attributes {
  readonly isCrossZone: boolean;
  readonly idleTimeoutSeconds: number;
  readonly isDrainingEnabled: boolean;
  readonly drainingSeconds: number;
}

/** Source: Classic guide, "Configure the idle connection timeout", "… connection draining", "… cross-zone load balancing". */
const DEFAULT_ATTRIBUTES: Attributes = {
  isCrossZone: false,
  idleTimeoutSeconds: 60,
  isDrainingEnabled: false,
  drainingSeconds: 300,
};

/** Source: Classic guide, "Configure health checks": the interval is 30 s, ten successes bring an instance back. */
const DEFAULT_HEALTH_CHECK = { intervalSeconds: 30, timeoutSeconds: 5, unhealthyThreshold: 2, healthyThreshold: 10 };

export interface LoadBalancer {
  readonly name: string;
  readonly dnsName: string;
  readonly scheme: 'internet-facing' | 'internal';
  readonly subnets: readonly Subnet[];
  securityGroupIds: readonly string[];
  readonly createdTime: Date;
  readonly listeners: Map<number, Listener>;
  readonly policies: Map<string, Policy>;
  /** By instance port, never empty. They are not the listeners': a policy outlives the listener of its port. */
  readonly backendPolicies: Map<number, readonly string[]>;
  readonly instanceIds: Set<string>;
  readonly tags: Map<string, string>;
  healthCheck: HealthCheckConfiguration;
  attributes: Attributes;
}

export interface LoadBalancersOptions {
  readonly world: World;
  readonly dataPlane: DataPlane;
  readonly clock?: () => Date;
}

export class LoadBalancers {
  readonly world: World;
  readonly dataPlane: DataPlane;
  readonly #clock: () => Date;
  readonly #byName = new Map<string, LoadBalancer>();

  constructor(options: LoadBalancersOptions) {
    this.world = options.world;
    this.dataPlane = options.dataPlane;
    this.#clock = options.clock ?? (() => new Date());
  }

  /** @throws ServiceError LoadBalancerNotFound */
  get(name: string): LoadBalancer {
    const loadBalancer = this.#byName.get(name);
    if (loadBalancer === undefined) {
      throw new ServiceError('LoadBalancerNotFound', `There is no ACTIVE Load Balancer named '${name}'`);
    }
    return loadBalancer;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** By name, which is also the order that pages of DescribeLoadBalancers come in. */
  all(): readonly LoadBalancer[] {
    return [...this.#byName.values()].sort((left, right) => (left.name < right.name ? -1 : 1));
  }

  async create(
    wanted: Pick<LoadBalancer, 'name' | 'scheme' | 'subnets' | 'securityGroupIds'> & {
      readonly listeners: readonly Listener[];
      readonly tags: ReadonlyMap<string, string>;
    },
  ): Promise<LoadBalancer> {
    const createdTime = this.#clock();
    const { name, scheme, subnets, securityGroupIds, listeners } = wanted;
    const prefix = scheme === 'internal' ? 'internal-' : '';
    const loadBalancer: LoadBalancer = {
      name,
      dnsName: `${prefix}${name}-${createdTime.getTime() % 10_000_000_000}.${REGION}.elb.amazonaws.com`,
      scheme,
      subnets,
      securityGroupIds,
      createdTime,
      listeners: new Map(listeners.map((listener) => [listener.loadBalancerPort, listener])),
      policies: new Map(),
      backendPolicies: new Map(),
      instanceIds: new Set(),
      tags: new Map(wanted.tags),
      healthCheck: { target: `TCP:${listeners[0]?.instancePort ?? 80}`, ...DEFAULT_HEALTH_CHECK },
      attributes: DEFAULT_ATTRIBUTES,
    };
    this.#byName.set(name, loadBalancer);
    try {
      await this.dataPlane.create(this.#configurationOf(loadBalancer), subnets);
    } catch (error) {
      this.#byName.delete(name);
      throw error;
    }
    return loadBalancer;
  }

  async delete(name: string): Promise<void> {
    if (this.#byName.delete(name)) await this.dataPlane.delete(name);
  }

  /** Hand the state to the data plane; every action that changes it ends with this. */
  apply(loadBalancer: LoadBalancer): Promise<void> {
    return this.dataPlane.update(this.#configurationOf(loadBalancer));
  }

  #configurationOf(loadBalancer: LoadBalancer): Configuration {
    const { attributes, backendPolicies, policies } = loadBalancer;
    const proxyPorts = [...backendPolicies]
      .filter(([, names]) => names.some((name) => isProxyProtocol(policies.get(name))))
      .map(([instancePort]) => instancePort)
      .sort((left, right) => left - right);
    return {
      loadBalancerName: loadBalancer.name,
      securityGroupIds: loadBalancer.securityGroupIds,
      listeners: [...loadBalancer.listeners.values()].map((listener) => ({
        loadBalancerPort: listener.loadBalancerPort,
        protocol: listener.protocol,
        instanceProtocol: listener.instanceProtocol,
        instancePort: listener.instancePort,
      })),
      instances: [...loadBalancer.instanceIds].flatMap((instanceId) => {
        const instance = this.world.instances.get(instanceId);
        if (instance === undefined) return []; // terminated: ELB forgets it too
        const { privateIpAddress, availabilityZone } = instance;
        return [{ instanceId, privateIpAddress, availabilityZone }];
      }),
      healthCheck: loadBalancer.healthCheck,
      idleTimeoutSeconds: attributes.idleTimeoutSeconds,
      drainingSeconds: attributes.isDrainingEnabled ? attributes.drainingSeconds : undefined,
      isCrossZone: attributes.isCrossZone,
      proxyPorts,
    };
  }
}
