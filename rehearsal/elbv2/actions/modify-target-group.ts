import type { ModifyTargetGroupInput, ModifyTargetGroupOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { HEALTH_INPUTS, healthCheckOf, refuseOthers } from '../checks.ts';
import { describeTargetGroup } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

/** Its health check; what is not given stays. */
export const modifyTargetGroup =
  (all: LoadBalancers) =>
  async (input: ModifyTargetGroupInput): Promise<ModifyTargetGroupOutput> => {
    refuseOthers(input, ['TargetGroupArn', ...HEALTH_INPUTS]);
    const group = all.targetGroup(input.TargetGroupArn);
    group.healthCheck = healthCheckOf(input, group.healthCheck);
    await all.applyGroup(group);
    return { TargetGroups: [describeTargetGroup(all, group)] };
  };
