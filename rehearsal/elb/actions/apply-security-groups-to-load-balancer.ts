import type {
  ApplySecurityGroupsToLoadBalancerInput,
  ApplySecurityGroupsToLoadBalancerOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { securityGroupsOf } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/** Replaces the whole list. */
export const applySecurityGroupsToLoadBalancer =
  (loadBalancers: LoadBalancers) =>
  async (input: ApplySecurityGroupsToLoadBalancerInput): Promise<ApplySecurityGroupsToLoadBalancerOutput> => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    loadBalancer.securityGroupIds = securityGroupsOf(loadBalancers.world, input.SecurityGroups);
    await loadBalancers.apply(loadBalancer);
    return { SecurityGroups: [...loadBalancer.securityGroupIds] };
  };
