import type { DeregisterTargetsInput, DeregisterTargetsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { refuseOthers } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/**
 * Without a port, whichever the instance is registered with. One that is not registered is no error. Source: API reference,
 * DeregisterTargets: "If the specified target does not exist, the action returns successfully".
 */
export const deregisterTargets =
  (all: LoadBalancers) =>
  async (input: DeregisterTargetsInput): Promise<DeregisterTargetsOutput> => {
    const group = all.targetGroup(input.TargetGroupArn);
    for (const target of input.Targets ?? []) {
      refuseOthers(target, ['Id', 'Port']);
      for (const [key, { instanceId, port }] of group.targets) {
        if (instanceId === target.Id && (target.Port === undefined || target.Port === port)) group.targets.delete(key);
      }
    }
    await all.applyGroup(group);
    return {};
  };
