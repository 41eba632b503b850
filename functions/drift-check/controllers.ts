/** Who else writes a load balancer's policies, as far as its tags and the names of policies show. */
import type { ObservedLoadBalancer } from './observed.ts';

const BY_TAG: readonly (readonly [RegExp, string])[] = [
  [/^(kubernetes\.io\/|KubernetesCluster$)/, 'Kubernetes'],
  [/^elasticbeanstalk:/, 'Elastic Beanstalk'],
  [/^aws:cloudformation:stack-name$/, 'CloudFormation'],
];

/** Names that tools give without being asked. */
const BY_POLICY: ReadonlyMap<string, string> = new Map([
  ['k8s-proxyprotocol-enabled', 'Kubernetes'],
  ['TFEnableProxyProtocol', 'Terraform'],
  ['ProxyProtocol-policy', 'Ansible'],
  ['EnableProxyProtocol', 'Elastic Beanstalk'],
  ['my-ProxyProtocol-policy', 'somebody by the AWS guide'],
]);

/** @returns such as `perhaps Kubernetes (tag kubernetes.io/cluster/web=owned)`; empty where nothing shows. A policy is there; a tag is a hint. */
export function whoWrites({ tags, policyNames }: ObservedLoadBalancer): string {
  const byPolicy = [...new Set([...policyNames.values()].flat())].flatMap((name) => {
    const who = BY_POLICY.get(name);
    return who === undefined ? [] : [`${who} (policy ${name})`];
  });
  const byTag = [...tags].flatMap(([key, value]) => {
    const who = BY_TAG.find(([pattern]) => pattern.test(key))?.[1];
    return who === undefined ? [] : [`perhaps ${who} (tag ${key}=${value})`];
  });
  return [...byPolicy, ...byTag][0] ?? '';
}
