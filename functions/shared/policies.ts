/**
 * Which policies the instance ports have, and which calls bring them to what is wanted.
 *
 * Two facts carry this file. SetLoadBalancerPoliciesForBackendServer "Replaces the set of policies" of one instance port, so
 * every other policy of the port is written back, in its order. And the API reference says that "only the back-end server
 * authentication policy type can be applied to the instance ports", while the Classic guide's page "enable-proxy-protocol"
 * uses this very call for ProxyProtocolPolicyType: the reference is out of date, the guide is right.
 *
 * A PROXY policy is known by its type and attribute. Its name says only whose it is: ours has a name of its own, and any
 * other is foreign: adopted (it does what is wanted) and never removed.
 */
import type { BackendServerDescription, PolicyDescription } from '@aws-sdk/client-elastic-load-balancing';
import { ProxyflipError } from './errors.ts';

export const POLICY_NAME = 'proxyflip-proxy-protocol';
export const POLICY_TYPE = 'ProxyProtocolPolicyType';
export const POLICY_ATTRIBUTE = 'ProxyProtocol';

export interface Policies {
  /** Instance port → its policies' names, in the order that the service gave. Ports without a policy may be absent. */
  readonly byPort: ReadonlyMap<number, readonly string[]>;
  /** Names of the policies that write the PROXY line. */
  readonly proxyPolicies: ReadonlySet<string>;
  /** Whether a policy of our name exists and is what its name says. */
  readonly ownExists: boolean;
}

export interface Attachment {
  readonly instancePort: number;
  /** The whole new list. Empty = remove all. */
  readonly policyNames: readonly string[];
}

export interface PolicyPlan {
  readonly create: boolean;
  /** One per instance port whose list changes, none else. */
  readonly attachments: readonly Attachment[];
  /** Ours is deleted once nothing carries it. */
  readonly remove: boolean;
  /** Ports that stay on through a policy that is not ours: a disable does not touch them. */
  readonly foreign: readonly { readonly instancePort: number; readonly policyName: string }[];
}

export function describePolicies(
  backendServers: readonly BackendServerDescription[] = [],
  descriptions: readonly PolicyDescription[] = [],
): Policies {
  const proxyPolicies = new Set(descriptions.filter(writesProxyLine).map((each) => each.PolicyName ?? ''));
  const own = descriptions.find((each) => each.PolicyName === POLICY_NAME);
  if (own !== undefined && !proxyPolicies.has(POLICY_NAME))
    throw new PolicyNameTakenError(own.PolicyTypeName ?? 'unknown');
  return {
    byPort: new Map(backendServers.map((each) => [each.InstancePort ?? 0, each.PolicyNames ?? []])),
    proxyPolicies,
    ownExists: own !== undefined,
  };
}

/** Terraform has sent "True" for years: the value's case does not count. */
export function writesProxyLine(policy: PolicyDescription): boolean {
  return (
    policy.PolicyTypeName === POLICY_TYPE &&
    (policy.PolicyAttributeDescriptions ?? []).some(
      (each) => each.AttributeName === POLICY_ATTRIBUTE && each.AttributeValue?.toLowerCase() === 'true',
    )
  );
}

export const isOn = (policies: Policies, instancePort: number): boolean =>
  (policies.byPort.get(instancePort) ?? []).some((name) => policies.proxyPolicies.has(name));

/**
 * The calls that bring every port from `before` to `wanted`, possibly none.
 *
 * @param wanted  the ports on which the PROXY line is to be on; every other port that carries our policy loses it, also one
 *                that no listener feeds any more: policies outlive their listener, and the next listener would inherit it.
 */
export function planPolicies(before: Policies, wanted: readonly number[]): PolicyPlan {
  const attachments: Attachment[] = [];
  const foreign: { instancePort: number; policyName: string }[] = [];
  const ports = new Set([...before.byPort.keys(), ...wanted]);
  let carriers = 0;
  for (const instancePort of [...ports].sort((a, b) => a - b)) {
    const names = before.byPort.get(instancePort) ?? [];
    const foreignName = names.find((name) => name !== POLICY_NAME && before.proxyPolicies.has(name));
    if (foreignName !== undefined) foreign.push({ instancePort, policyName: foreignName });
    const others = names.filter((name) => name !== POLICY_NAME);
    const own = names.length !== others.length;
    // Beside a foreign PROXY policy ours would add nothing, and whether two write two lines is not documented.
    const wantsOwn = wanted.includes(instancePort) && foreignName === undefined;
    if (wantsOwn) carriers += 1;
    if (wantsOwn !== own) attachments.push({ instancePort, policyNames: wantsOwn ? [...others, POLICY_NAME] : others });
  }
  return {
    create: carriers > 0 && !before.ownExists,
    attachments,
    remove: carriers === 0 && before.ownExists,
    foreign,
  };
}

class PolicyNameTakenError extends ProxyflipError {
  constructor(policyTypeName: string) {
    super(
      'ERR_POLICY_NAME_TAKEN',
      `the load balancer has a policy ${POLICY_NAME} of type ${policyTypeName} that does not write the PROXY line. Policies cannot be changed: delete it, then run again.`,
    );
  }
}
