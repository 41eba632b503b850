import type {
  DescribeTargetHealthInput,
  DescribeTargetHealthOutput,
  TargetHealthDescription,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { refuseOthers } from '../checks.ts';
import type { TargetHealth } from '../data-plane.ts';
import { type LoadBalancers, type TargetGroup, targetKey } from '../model.ts';

/** Those that drain are listed, too. Named ones are reported even if they are not registered. */
export const describeTargetHealth =
  (all: LoadBalancers) =>
  async (input: DescribeTargetHealthInput): Promise<DescribeTargetHealthOutput> => {
    refuseOthers(input, ['TargetGroupArn', 'Targets']);
    const group = all.targetGroup(input.TargetGroupArn);
    const user = all.userOf(group.arn);
    const health = user === undefined ? [] : await all.dataPlane.health(user.arn);
    const seen = new Map(
      health.filter((each) => each.targetGroupArn === group.arn).map((each) => [targetKey(each), each]),
    );
    const targets = new Map([...group.targets, ...seen]);
    const named = (input.Targets ?? []).map(({ Id = '', Port = group.port }) => ({ instanceId: Id, port: Port }));
    return {
      TargetHealthDescriptions: (named.length > 0 ? named : [...targets.values()]).map((target) =>
        describe(all, group, target, seen.get(targetKey(target)), user !== undefined),
      ),
    };
  };

/** States, reasons and descriptions: API reference, TargetHealth. */
function describe(
  all: LoadBalancers,
  group: TargetGroup,
  target: { readonly instanceId: string; readonly port: number },
  seen: TargetHealth | undefined,
  isInUse: boolean,
): TargetHealthDescription {
  const { port } = group.healthCheck;
  return {
    Target: { Id: target.instanceId, Port: target.port },
    HealthCheckPort: String(port ?? target.port),
    TargetHealth: state(),
  };

  function state(): TargetHealthDescription['TargetHealth'] {
    if (seen !== undefined) return { State: seen.state, Reason: seen.reason as never, Description: seen.description };
    if (!group.targets.has(targetKey(target))) {
      return unused('Target.NotRegistered', 'Target is not registered to the target group');
    }
    if (!all.world.instances.has(target.instanceId)) {
      return unused('Target.InvalidState', 'Target is in the terminated state');
    }
    if (!isInUse) {
      return unused('Target.NotInUse', 'Target group is not configured to receive traffic from the load balancer');
    }
    return {
      State: 'initial',
      Reason: 'Elb.RegistrationInProgress',
      Description: 'Target registration is in progress',
    };
  }
}

const unused = (Reason: 'Target.NotRegistered' | 'Target.InvalidState' | 'Target.NotInUse', Description: string) =>
  ({ State: 'unused', Reason, Description }) as const;
