/** What will be done, from the load balancer as it is now and what EC2 said of its subnets and nodes. Reads only. */

import { POLICY_NAME, planPolicies } from '../../shared/policies.ts';
import { formatInstancePorts, tcpListeners } from '../../shared/ports.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import type { InputOf } from '../input.ts';
import { wishFor } from '../wish.ts';
import type { Deps } from './deps.ts';

export interface PlanAnswer {
  /** `80=http 81=https`: what the receivers serve at the end. */
  readonly instancePorts: string;
  /** Those and the ones that lose the policy in this run. */
  readonly bothPorts: string;
  readonly trustedCidrs: string;
  /** `10.0.101.21:80=http …`: every node's listeners, to probe. */
  readonly nodes: string;
  readonly instanceIds: readonly string[];
  /** What the receivers are asked next; working the differences out costs each a moment that a run need not spend. */
  readonly survey: 'Status' | 'Plan';
  /** What the receivers are to be at the end, if what is measured allows it. */
  readonly finalMode: 'plain' | 'both' | 'proxy';
  readonly policyName: string;
  /** The policy calls, in words; `none` where all is so already. */
  readonly policyChanges: string;
}

export async function plan({ elb }: Deps, input: InputOf<'Plan'>): Promise<PlanAnswer> {
  const loadBalancer = await describeLoadBalancer(elb, input.loadBalancerName);
  const wish = wishFor(loadBalancer, input.direction, { include: input.includePorts, exclude: input.excludePorts });
  const changes = planPolicies(loadBalancer.policies, wish.on);
  const listeners = tcpListeners(
    loadBalancer.listeners,
    wish.bothPorts.map((each) => each.port),
  );
  // An interface's addresses stand in it twice, as its own and in its list; the selector finds both.
  const nodes = [...new Set(input.nodeAddresses)].sort();
  return {
    instancePorts: formatInstancePorts(wish.instancePorts),
    bothPorts: formatInstancePorts(wish.bothPorts),
    trustedCidrs: [...new Set(input.subnetCidrs)].sort().join(' '),
    nodes: nodes
      .flatMap((node) =>
        listeners.map((each) => `${node}:${each.loadBalancerPort}=${each.protocol === 'SSL' ? 'https' : 'http'}`),
      )
      .join(' '),
    instanceIds: loadBalancer.instanceIds,
    survey: input.planOnly ? 'Plan' : 'Status',
    finalMode: input.direction === 'disable' ? 'plain' : input.finalMode,
    policyName: POLICY_NAME,
    policyChanges: describeChanges(changes),
  };
}

function describeChanges({ create, attachments, remove, foreign }: ReturnType<typeof planPolicies>): string {
  const words = [
    ...(create ? [`create policy ${POLICY_NAME}`] : []),
    ...attachments.map(({ instancePort, policyNames }) => `instance port ${instancePort}: [${policyNames.join(', ')}]`),
    ...(remove ? [`delete policy ${POLICY_NAME}`] : []),
    ...foreign.map(
      ({ instancePort, policyName }) => `instance port ${instancePort} keeps ${policyName}, which is not ours`,
    ),
  ];
  return words.length === 0 ? 'none' : words.join('; ');
}
