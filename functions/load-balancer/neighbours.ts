/** Other load balancers that share an instance and an instance port with this one. */
import {
  type BackendServerDescription,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  type ElasticLoadBalancingClient,
} from '@aws-sdk/client-elastic-load-balancing';
import { isGone } from '../shared/errors.ts';
import { describePolicies } from '../shared/policies.ts';
import type { InstancePort } from '../shared/ports.ts';
import type { LoadBalancer } from './classic-elb.ts';
import type { Neighbour } from './gates.ts';

export async function describeNeighbours(
  elb: ElasticLoadBalancingClient,
  loadBalancer: LoadBalancer,
  ports: readonly InstancePort[],
): Promise<Neighbour[]> {
  const sharing: (Omit<Neighbour, 'policies'> & { readonly backendServers: BackendServerDescription[] | undefined })[] =
    [];
  let marker: string | undefined;
  do {
    const page = await elb.send(new DescribeLoadBalancersCommand({ Marker: marker }));
    for (const each of page.LoadBalancerDescriptions ?? []) {
      const loadBalancerName = each.LoadBalancerName ?? '';
      if (loadBalancerName === loadBalancer.loadBalancerName) continue;
      const instanceIds = (each.Instances ?? [])
        .map((instance) => instance.InstanceId ?? '')
        .filter((id) => loadBalancer.instanceIds.includes(id));
      const shared = (each.ListenerDescriptions ?? [])
        .map(({ Listener }) => Listener?.InstancePort ?? 0)
        .filter((port) => ports.some((ours) => ours.port === port));
      if (instanceIds.length === 0 || shared.length === 0) continue;
      sharing.push({
        loadBalancerName,
        instanceIds,
        ports: [...new Set(shared)],
        backendServers: each.BackendServerDescriptions,
      });
    }
    // "If there are no additional results, the string is empty."
    marker = page.NextMarker === '' ? undefined : page.NextMarker;
  } while (marker !== undefined);

  const neighbours: Neighbour[] = [];
  for (const { backendServers, ...each } of sharing) {
    try {
      const { PolicyDescriptions } = await elb.send(
        new DescribeLoadBalancerPoliciesCommand({ LoadBalancerName: each.loadBalancerName }),
      );
      neighbours.push({ ...each, policies: describePolicies(backendServers, PolicyDescriptions) });
    } catch (error) {
      // It was deleted after it was listed.
      if (!isGone(error)) throw error;
    }
  }
  return neighbours;
}
