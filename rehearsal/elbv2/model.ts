/** The Application Load Balancers of the account, their listeners and target groups, and what of them the data plane has to know. */
import { randomBytes } from 'node:crypto';
import { ServiceError } from '../aws/service.ts';
import { ACCOUNT_ID, REGION, type Subnet, type World } from '../world.ts';
import {
  type Attributes,
  defaultsOf,
  isTrue,
  LOAD_BALANCER_ATTRIBUTES,
  numberOf,
  TARGET_GROUP_ATTRIBUTES,
} from './attributes.ts';
import type {
  ActionConfiguration,
  ConditionConfiguration,
  Configuration,
  DataPlane,
  HealthCheckConfiguration,
  Protocol,
  TargetGroupConfiguration,
} from './data-plane.ts';

export interface LoadBalancer {
  readonly arn: string;
  readonly name: string;
  readonly dnsName: string;
  readonly scheme: 'internet-facing' | 'internal';
  readonly subnets: readonly Subnet[];
  securityGroupIds: readonly string[];
  readonly createdTime: Date;
  attributes: Attributes;
  readonly tags: Map<string, string>;
}

export interface TargetGroup {
  readonly arn: string;
  readonly name: string;
  readonly protocol: Protocol;
  /** Of targets that are registered without one. */
  readonly port: number;
  readonly vpcId: string;
  healthCheck: HealthCheckConfiguration;
  attributes: Attributes;
  /** By `<instance id>:<port>`. */
  readonly targets: Map<string, { readonly instanceId: string; readonly port: number }>;
  readonly tags: Map<string, string>;
}

export interface Rule {
  readonly arn: string;
  /** 1 to 50,000, tried from the lowest. */
  priority: number;
  conditions: readonly ConditionConfiguration[];
  action: ActionConfiguration;
  readonly tags: Map<string, string>;
}

export interface Listener {
  readonly arn: string;
  readonly loadBalancerArn: string;
  port: number;
  protocol: Protocol;
  certificateArn: string | undefined;
  sslPolicy: string | undefined;
  defaultAction: ActionConfiguration;
  readonly rules: Map<string, Rule>;
  readonly tags: Map<string, string>;
}

export interface LoadBalancersOptions {
  readonly world: World;
  readonly dataPlane: DataPlane;
  readonly clock?: () => Date;
}

export class LoadBalancers {
  readonly world: World;
  readonly dataPlane: DataPlane;
  /** By ARN, all three. */
  readonly loadBalancers = new Map<string, LoadBalancer>();
  readonly targetGroups = new Map<string, TargetGroup>();
  readonly listeners = new Map<string, Listener>();
  readonly #clock: () => Date;

  constructor(options: LoadBalancersOptions) {
    this.world = options.world;
    this.dataPlane = options.dataPlane;
    this.#clock = options.clock ?? (() => new Date());
  }

  /** @throws ServiceError LoadBalancerNotFound */
  loadBalancer(arn: string | undefined): LoadBalancer {
    return found(this.loadBalancers, arn, 'LoadBalancerNotFound', 'Load balancer');
  }

  /** @throws ServiceError TargetGroupNotFound */
  targetGroup(arn: string | undefined): TargetGroup {
    return found(this.targetGroups, arn, 'TargetGroupNotFound', 'Target group');
  }

  /** @throws ServiceError ListenerNotFound */
  listener(arn: string | undefined): Listener {
    return found(this.listeners, arn, 'ListenerNotFound', 'Listener');
  }

  /** @throws ServiceError RuleNotFound */
  rule(arn: string | undefined): { listener: Listener; rule: Rule } {
    for (const listener of this.listeners.values()) {
      const rule = listener.rules.get(arn ?? '');
      if (rule !== undefined) return { listener, rule };
    }
    throw new ServiceError('RuleNotFound', `Rule '${arn}' not found`);
  }

  listenersOf(loadBalancerArn: string): readonly Listener[] {
    return [...this.listeners.values()].filter((each) => each.loadBalancerArn === loadBalancerArn);
  }

  /** The load balancer that forwards to it; a target group has one at most. */
  userOf(targetGroupArn: string): LoadBalancer | undefined {
    const listener = [...this.listeners.values()].find((each) =>
      actionsOf(each).some((action) => action.type === 'forward' && action.targetGroupArn === targetGroupArn),
    );
    return listener === undefined ? undefined : this.loadBalancers.get(listener.loadBalancerArn);
  }

  async createLoadBalancer(
    wanted: Pick<LoadBalancer, 'name' | 'scheme' | 'subnets' | 'securityGroupIds' | 'tags'>,
  ): Promise<LoadBalancer> {
    const { name, scheme } = wanted;
    const createdTime = this.#clock();
    const id = newId();
    const prefix = scheme === 'internal' ? 'internal-' : '';
    const loadBalancer: LoadBalancer = {
      ...wanted,
      arn: arn(`loadbalancer/app/${name}/${id}`),
      dnsName: `${prefix}${name}-${createdTime.getTime() % 10_000_000_000}.${REGION}.elb.amazonaws.com`,
      createdTime,
      attributes: defaultsOf(LOAD_BALANCER_ATTRIBUTES),
    };
    this.loadBalancers.set(loadBalancer.arn, loadBalancer);
    try {
      await this.dataPlane.create(this.#configurationOf(loadBalancer), loadBalancer.subnets);
    } catch (error) {
      this.loadBalancers.delete(loadBalancer.arn);
      throw error;
    }
    return loadBalancer;
  }

  /** With its listeners; target groups stay. */
  async deleteLoadBalancer(loadBalancer: LoadBalancer): Promise<void> {
    for (const listener of this.listenersOf(loadBalancer.arn)) this.listeners.delete(listener.arn);
    this.loadBalancers.delete(loadBalancer.arn);
    await this.dataPlane.delete(loadBalancer.arn);
  }

  createTargetGroup(
    wanted: Pick<TargetGroup, 'name' | 'protocol' | 'port' | 'vpcId' | 'healthCheck' | 'tags'>,
  ): TargetGroup {
    const targetGroup: TargetGroup = {
      ...wanted,
      arn: arn(`targetgroup/${wanted.name}/${newId()}`),
      attributes: defaultsOf(TARGET_GROUP_ATTRIBUTES),
      targets: new Map(),
    };
    this.targetGroups.set(targetGroup.arn, targetGroup);
    return targetGroup;
  }

  async createListener(wanted: Omit<Listener, 'arn' | 'rules'>): Promise<Listener> {
    const { arn: ofLoadBalancer } = this.loadBalancer(wanted.loadBalancerArn);
    const listener: Listener = {
      ...wanted,
      arn: `${ofLoadBalancer.replace(':loadbalancer/', ':listener/')}/${newId()}`,
      rules: new Map(),
    };
    this.listeners.set(listener.arn, listener);
    await this.apply(listener.loadBalancerArn);
    return listener;
  }

  async deleteListener(listener: Listener): Promise<void> {
    this.listeners.delete(listener.arn);
    await this.apply(listener.loadBalancerArn);
  }

  async createRule(listener: Listener, wanted: Omit<Rule, 'arn'>): Promise<Rule> {
    const rule: Rule = { ...wanted, arn: `${listener.arn.replace(':listener/', ':listener-rule/')}/${newId()}` };
    listener.rules.set(rule.arn, rule);
    await this.apply(listener.loadBalancerArn);
    return rule;
  }

  /** Hand the state to the data plane; every action that changes it ends with this. */
  async apply(loadBalancerArn: string): Promise<void> {
    const loadBalancer = this.loadBalancers.get(loadBalancerArn);
    if (loadBalancer !== undefined) await this.dataPlane.update(this.#configurationOf(loadBalancer));
  }

  /** The same for what has changed about a target group, which a load balancer need not be using. */
  async applyGroup({ arn: targetGroupArn }: TargetGroup): Promise<void> {
    const user = this.userOf(targetGroupArn);
    if (user !== undefined) await this.apply(user.arn);
  }

  #configurationOf(loadBalancer: LoadBalancer): Configuration {
    const { attributes } = loadBalancer;
    const listeners = this.listenersOf(loadBalancer.arn);
    const used = new Set(
      listeners.flatMap(actionsOf).flatMap((action) => (action.type === 'forward' ? [action.targetGroupArn] : [])),
    );
    return {
      loadBalancerArn: loadBalancer.arn,
      securityGroupIds: loadBalancer.securityGroupIds,
      listeners: listeners.map(({ port, protocol, rules, defaultAction }) => ({
        port,
        protocol,
        rules: [
          ...[...rules.values()].sort((left, right) => left.priority - right.priority),
          { conditions: [], action: defaultAction },
        ].map(({ conditions, action }) => ({ conditions, action })),
      })),
      targetGroups: [...used].map((each) => this.#groupConfigurationOf(this.targetGroup(each))),
      idleTimeoutSeconds: numberOf(attributes, 'idle_timeout.timeout_seconds'),
      isHttp2Enabled: isTrue(attributes, 'routing.http2.enabled'),
      forwardedFor: attributes.get('routing.http.xff_header_processing.mode') as Configuration['forwardedFor'],
      hasClientPort: isTrue(attributes, 'routing.http.xff_client_port.enabled'),
    };
  }

  #groupConfigurationOf(group: TargetGroup): TargetGroupConfiguration {
    const { attributes } = group;
    return {
      arn: group.arn,
      protocol: group.protocol,
      targets: [...group.targets.values()].flatMap(({ instanceId, port }) => {
        const instance = this.world.instances.get(instanceId);
        if (instance === undefined) return []; // terminated: nothing is sent to it
        return [{ instanceId, privateIpAddress: instance.privateIpAddress, port }];
      }),
      healthCheck: group.healthCheck,
      stickinessSeconds: isTrue(attributes, 'stickiness.enabled')
        ? numberOf(attributes, 'stickiness.lb_cookie.duration_seconds')
        : undefined,
      drainingSeconds: numberOf(attributes, 'deregistration_delay.timeout_seconds'),
    };
  }
}

export const actionsOf = ({ rules, defaultAction }: Listener): readonly ActionConfiguration[] => [
  ...[...rules.values()].map(({ action }) => action),
  defaultAction,
];

export const targetKey = (target: { readonly instanceId: string; readonly port: number }): string =>
  `${target.instanceId}:${target.port}`;

const arn = (resource: string): string => `arn:aws:elasticloadbalancing:${REGION}:${ACCOUNT_ID}:${resource}`;
const newId = (): string => randomBytes(8).toString('hex');

function found<T>(all: ReadonlyMap<string, T>, key: string | undefined, code: string, what: string): T {
  const item = all.get(key ?? '');
  if (item === undefined) throw new ServiceError(code, `${what} '${key}' not found`);
  return item;
}
