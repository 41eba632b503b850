/** What a group registers its instances with: a Classic Load Balancer, or a target group of an Application Load Balancer. */
import { ServiceError } from '../aws/service.ts';

export interface TrafficSource {
  /** A load balancer's name, or a target group's ARN. */
  readonly id: string;
  register(instanceIds: readonly string[]): Promise<void>;
  deregister(instanceIds: readonly string[]): Promise<void>;
  /** Of everything that is registered or drains. */
  health(): Promise<ReadonlyMap<string, 'healthy' | 'unhealthy' | 'other'>>;
}

/** Through the actions that clients use. */
export type Call = (service: string, action: string, input: unknown) => Promise<unknown>;

export function classicLoadBalancer(call: Call, LoadBalancerName: string): TrafficSource {
  const instances = (ids: readonly string[]) => ids.map((InstanceId) => ({ InstanceId }));
  const send = (action: string, more: object) => call('elasticloadbalancing', action, { LoadBalancerName, ...more });
  return {
    id: LoadBalancerName,
    async register(ids) {
      await send('RegisterInstancesWithLoadBalancer', { Instances: instances(ids) });
    },
    async deregister(ids) {
      await send('DeregisterInstancesFromLoadBalancer', { Instances: instances(ids) });
    },
    async health() {
      const { InstanceStates = [] } = (await send('DescribeInstanceHealth', {})) as {
        InstanceStates?: { InstanceId?: string; State?: string; ReasonCode?: string }[];
      };
      return new Map(
        InstanceStates.map(({ InstanceId = '', State, ReasonCode }) => [
          InstanceId,
          // OutOfService by the load balancer's own doing (ELB) is one that is not judged yet.
          State === 'InService' ? 'healthy' : ReasonCode === 'Instance' ? 'unhealthy' : 'other',
        ]),
      );
    },
  };
}

export function targetGroup(call: Call, TargetGroupArn: string): TrafficSource {
  const targets = (ids: readonly string[]) => ids.map((Id) => ({ Id }));
  return {
    id: TargetGroupArn,
    async register(ids) {
      await call('elbv2', 'RegisterTargets', { TargetGroupArn, Targets: targets(ids) });
    },
    async deregister(ids) {
      await call('elbv2', 'DeregisterTargets', { TargetGroupArn, Targets: targets(ids) });
    },
    async health() {
      const { TargetHealthDescriptions = [] } = (await call('elbv2', 'DescribeTargetHealth', { TargetGroupArn })) as {
        TargetHealthDescriptions?: { Target?: { Id?: string }; TargetHealth?: { State?: string } }[];
      };
      return new Map(
        TargetHealthDescriptions.map(({ Target, TargetHealth }) => [
          Target?.Id ?? '',
          TargetHealth?.State === 'healthy' || TargetHealth?.State === 'unhealthy' ? TargetHealth.State : 'other',
        ]),
      );
    },
  };
}

export const isGone = (error: unknown): boolean =>
  error instanceof ServiceError && /^(LoadBalancer|TargetGroup)NotFound$/.test(error.code);

/** One that is gone has nobody registered, and nothing to drain. */
export async function unlessGone(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!isGone(error)) throw error;
  });
}
