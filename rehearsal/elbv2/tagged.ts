import { validationError } from './checks.ts';
import type { LoadBalancers } from './model.ts';

/** Whatever has that ARN: a load balancer, a listener, a rule or a target group. @throws ServiceError  by its kind */
export function taggedBy(all: LoadBalancers, arn: string): { readonly tags: Map<string, string> } {
  const kind = /^arn:aws[a-z-]*:elasticloadbalancing:[^:]*:\d+:([a-z-]+)\//.exec(arn)?.[1];
  if (kind === 'loadbalancer') return all.loadBalancer(arn);
  if (kind === 'targetgroup') return all.targetGroup(arn);
  if (kind === 'listener') return all.listener(arn);
  if (kind === 'listener-rule') return all.rule(arn).rule;
  throw validationError(`'${arn}' is not a valid resource ARN`);
}
