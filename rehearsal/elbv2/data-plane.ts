/** What the API side of an Application Load Balancer asks of the part that carries the requests. `data-plane/` is the real one. */
import type { Subnet } from '../world.ts';

export type Protocol = 'HTTP' | 'HTTPS';

export interface Target {
  readonly instanceId: string;
  readonly privateIpAddress: string;
  readonly port: number;
}

export interface HealthCheckConfiguration {
  readonly protocol: Protocol;
  /** undefined = the port that each target serves on. */
  readonly port: number | undefined;
  readonly path: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  /** `200`, `200,202` or `200-299`. */
  readonly codes: string;
}

export interface TargetGroupConfiguration {
  readonly arn: string;
  /** What the load balancer speaks to the targets. */
  readonly protocol: Protocol;
  readonly targets: readonly Target[];
  readonly healthCheck: HealthCheckConfiguration;
  /** How long the load balancer's cookie is good for; undefined = there is no stickiness. */
  readonly stickinessSeconds: number | undefined;
  readonly drainingSeconds: number;
}

export type ActionConfiguration =
  | { readonly type: 'forward'; readonly targetGroupArn: string }
  /** Its parts may hold `#{protocol}`, `#{host}`, `#{port}`, `#{path}` and `#{query}`, each as the request has it. */
  | {
      readonly type: 'redirect';
      readonly protocol: string;
      readonly host: string;
      readonly port: string;
      readonly path: string;
      readonly query: string;
      readonly statusCode: 301 | 302;
    }
  | {
      readonly type: 'fixed-response';
      readonly statusCode: number;
      readonly contentType: string;
      readonly body: string;
    };

/** Values may hold `*` and `?`; one that fits is enough. */
export interface ConditionConfiguration {
  readonly field: 'path-pattern' | 'host-header' | 'source-ip';
  readonly values: readonly string[];
}

export interface RuleConfiguration {
  /** All have to hold; none = every request. */
  readonly conditions: readonly ConditionConfiguration[];
  readonly action: ActionConfiguration;
}

export interface ListenerConfiguration {
  readonly port: number;
  readonly protocol: Protocol;
  /** In the order in which they are tried; the last is the default, without conditions. */
  readonly rules: readonly RuleConfiguration[];
}

/** The whole of what a load balancer is set to. */
export interface Configuration {
  readonly loadBalancerArn: string;
  /** Of its nodes. */
  readonly securityGroupIds: readonly string[];
  readonly listeners: readonly ListenerConfiguration[];
  /** Those that a rule forwards to. */
  readonly targetGroups: readonly TargetGroupConfiguration[];
  readonly idleTimeoutSeconds: number;
  readonly isHttp2Enabled: boolean;
  /** What becomes of the X-Forwarded-For of a request. */
  readonly forwardedFor: 'append' | 'preserve' | 'remove';
  /** Whether the client's port is appended, too. */
  readonly hasClientPort: boolean;
}

export type TargetState = 'initial' | 'healthy' | 'unhealthy' | 'draining';

export interface TargetHealth {
  readonly targetGroupArn: string;
  readonly instanceId: string;
  readonly port: number;
  readonly state: TargetState;
  /** As the API has them; undefined where it is healthy. */
  readonly reason: string | undefined;
  readonly description: string | undefined;
}

export interface DataPlane {
  /** Resolves when every node takes connections. @param subnets  one node or more in each */
  create(configuration: Configuration, subnets: readonly Subnet[]): Promise<void>;
  /** Resolves when every node has it. */
  update(configuration: Configuration): Promise<void>;
  delete(loadBalancerArn: string): Promise<void>;
  /** What the nodes' health checks say, and what is draining; a target that the nodes do not have yet is absent. */
  health(loadBalancerArn: string): Promise<readonly TargetHealth[]>;
}
