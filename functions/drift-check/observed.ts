/** One load balancer as the service describes it, reduced to what is compared. Pure. */
import type { LoadBalancerDescription, PolicyDescription } from '@aws-sdk/client-elastic-load-balancing';
import { POLICY_TYPE, writesProxyLine } from '../shared/policies.ts';
import { describeListener, type ListenerDescription } from '../shared/ports.ts';

export interface ObservedListener extends ListenerDescription {
  /** Of an HTTPS or SSL listener. */
  readonly certificateId: string | undefined;
}

export interface HealthCheck {
  /** `HTTP:8078/healthz`, `TCP:80` … */
  readonly target: string;
  readonly interval: number;
  readonly timeout: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
}

export interface ObservedLoadBalancer {
  readonly name: string;
  /** Milliseconds since the epoch; 0 = not known. */
  readonly createdAt: number;
  readonly listeners: readonly ObservedListener[];
  readonly healthCheck: HealthCheck | undefined;
  /** Instance port → its policies' names. Ports without a policy are absent. */
  readonly policyNames: ReadonlyMap<number, readonly string[]>;
  /** Names of the policies that write the PROXY line. */
  readonly proxyPolicies: ReadonlySet<string>;
  /** Names of those that have the type and do not write it: their attribute is not true. */
  readonly idlePolicies: ReadonlySet<string>;
  readonly tags: ReadonlyMap<string, string>;
}

export function observe(
  description: LoadBalancerDescription,
  policies: readonly PolicyDescription[],
  tags: ReadonlyMap<string, string>,
): ObservedLoadBalancer {
  return {
    name: description.LoadBalancerName ?? '',
    createdAt: description.CreatedTime?.getTime() ?? 0,
    listeners: (description.ListenerDescriptions ?? []).flatMap(({ Listener }) =>
      Listener === undefined ? [] : [{ ...describeListener(Listener), certificateId: Listener.SSLCertificateId }],
    ),
    healthCheck: describeHealthCheck(description.HealthCheck),
    policyNames: policyNamesOf(description),
    proxyPolicies: namesOf(policies.filter(writesProxyLine)),
    idlePolicies: namesOf(policies.filter((each) => each.PolicyTypeName === POLICY_TYPE && !writesProxyLine(each))),
    tags,
  };
}

export const policyNamesOf = (description: LoadBalancerDescription): ReadonlyMap<number, readonly string[]> =>
  new Map(
    (description.BackendServerDescriptions ?? []).map((each) => [each.InstancePort ?? 0, each.PolicyNames ?? []]),
  );

function describeHealthCheck(check: LoadBalancerDescription['HealthCheck']): HealthCheck | undefined {
  if (check?.Target === undefined) return undefined;
  const { Target: target, Interval = 30, Timeout = 5, UnhealthyThreshold = 2, HealthyThreshold = 10 } = check;
  return {
    target,
    interval: Interval,
    timeout: Timeout,
    unhealthyThreshold: UnhealthyThreshold,
    healthyThreshold: HealthyThreshold,
  };
}

const namesOf = (policies: readonly PolicyDescription[]): Set<string> =>
  new Set(policies.map((each) => each.PolicyName ?? ''));

/** What is on this port, in the service's order. */
export const policiesOn = ({ policyNames }: ObservedLoadBalancer, port: number): readonly string[] =>
  policyNames.get(port) ?? [];

/** Of that, what writes the PROXY line. */
export const proxyPoliciesOn = (loadBalancer: ObservedLoadBalancer, port: number): string[] =>
  policiesOn(loadBalancer, port).filter((name) => loadBalancer.proxyPolicies.has(name));

/** How connections over TCP arrive at an instance port. */
export const sentTo = (loadBalancer: ObservedLoadBalancer, port: number): 'plain' | 'proxy' =>
  proxyPoliciesOn(loadBalancer, port).length > 0 ? 'proxy' : 'plain';
