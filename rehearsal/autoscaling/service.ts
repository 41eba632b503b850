/** EC2 Auto Scaling, API version 2011-01-01: groups that launch and end instances behind load balancers of both kinds. */
import type { Service } from '../aws/service.ts';
import { groupActions } from './actions/group.ts';
import { instanceActions } from './actions/instance.ts';
import { loadBalancerActions } from './actions/load-balancer.ts';
import { Groups, type GroupsOptions } from './groups.ts';

export interface AutoScalingService extends Service {
  /** Resolves when nothing is being launched or ended any more. */
  close(): Promise<void>;
}

export function createAutoScalingService(options: GroupsOptions): AutoScalingService {
  const groups = new Groups(options);
  return {
    signingName: 'autoscaling',
    protocol: 'awsQuery',
    actions: { ...groupActions(groups, options.world), ...instanceActions(groups), ...loadBalancerActions(groups) },
    close: () => groups.close(),
  };
}
