import type { RegisterTargetsInput, RegisterTargetsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { refuseOthers, targetOf } from '../checks.ts';
import { type LoadBalancers, targetKey } from '../model.ts';

/** One that is registered already is no error. */
export const registerTargets =
  (all: LoadBalancers) =>
  async (input: RegisterTargetsInput): Promise<RegisterTargetsOutput> => {
    const group = all.targetGroup(input.TargetGroupArn);
    const targets = (input.Targets ?? []).map((target) => {
      refuseOthers(target, ['Id', 'Port']);
      return targetOf(all.world, group, target);
    });
    for (const target of targets) group.targets.set(targetKey(target), target);
    await all.applyGroup(group);
    return {};
  };
