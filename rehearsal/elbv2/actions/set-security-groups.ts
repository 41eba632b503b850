import type { SetSecurityGroupsInput, SetSecurityGroupsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { securityGroupsOf } from '../../elb/checks.ts';
import { refuseOthers } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

export const setSecurityGroups =
  (all: LoadBalancers) =>
  async (input: SetSecurityGroupsInput): Promise<SetSecurityGroupsOutput> => {
    refuseOthers(input, ['LoadBalancerArn', 'SecurityGroups']);
    const loadBalancer = all.loadBalancer(input.LoadBalancerArn);
    loadBalancer.securityGroupIds = securityGroupsOf(all.world, input.SecurityGroups);
    await all.apply(loadBalancer.arn);
    return { SecurityGroupIds: [...loadBalancer.securityGroupIds] };
  };
