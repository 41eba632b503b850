/** What the API side of the load balancer asks of the part that carries the connections. `data-plane/` is the real one. */
import type { Subnet } from '../world.ts';

/** TCP and SSL are carried as they come, HTTP and HTTPS are read; a listener's two protocols are of the same kind. */
export type Protocol = 'TCP' | 'SSL' | 'HTTP' | 'HTTPS';

export interface ListenerConfiguration {
  readonly loadBalancerPort: number;
  /** What the client speaks. */
  readonly protocol: Protocol;
  /** What the load balancer speaks to the instance. A PROXY line goes to TCP alone. */
  readonly instanceProtocol: Protocol;
  readonly instancePort: number;
}

export interface HealthCheckConfiguration {
  /** `TCP:80`, `SSL:443`, `HTTP:8078/healthz`, `HTTPS:443/` */
  readonly target: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
}

export interface RegisteredInstance {
  readonly instanceId: string;
  readonly privateIpAddress: string;
  readonly availabilityZone: string;
}

/** The whole of what a load balancer is set to. */
export interface Configuration {
  readonly loadBalancerName: string;
  /** Of its nodes. None = every host reaches them. */
  readonly securityGroupIds: readonly string[];
  readonly listeners: readonly ListenerConfiguration[];
  readonly instances: readonly RegisteredInstance[];
  readonly healthCheck: HealthCheckConfiguration;
  readonly idleTimeoutSeconds: number;
  /** undefined = draining is off: deregistration closes the instance's connections at once. */
  readonly drainingSeconds: number | undefined;
  /** False: a node sends to the instances of its own availability zone alone. */
  readonly isCrossZone: boolean;
  /** Instance ports, sorted, whose connections are to begin with a PROXY line; they may have no listener. */
  readonly proxyPorts: readonly number[];
}

export interface InstanceHealth {
  readonly state: 'InService' | 'OutOfService';
  readonly reasonCode: 'N/A' | 'ELB' | 'Instance';
  readonly description: string;
}

export interface DataPlane {
  /** Resolves when every node takes connections. @param subnets one node or more in each */
  create(configuration: Configuration, subnets: readonly Subnet[]): Promise<void>;
  /** Resolves when every node has it, save `proxyPorts`, which reach each node in its own time. */
  update(configuration: Configuration): Promise<void>;
  delete(loadBalancerName: string): Promise<void>;
  /** What the nodes' health checks say; an instance that they do not have yet is absent. */
  health(loadBalancerName: string): Promise<ReadonlyMap<string, InstanceHealth>>;
}
