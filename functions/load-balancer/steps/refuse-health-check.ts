/**
 * The health check goes to an instance port, where a strict receiver fails it. Always an error: what differs is the way out. The command
 * that moves the check is given only where the receivers answer on the plain health port and the load balancer is let in there, since a
 * check that fails takes every instance out of service. Nothing but the load balancer itself could try the way to that port, and it has
 * one health check: so the receivers' side is seen, and the way to them is read from the security groups' rules.
 */

import { answerOf, awaitInvocations } from '../../shared/invocations.ts';
import { describeLoadBalancer } from '../classic-elb.ts';
import { checkHealthCheck, GateError } from '../gates.ts';
import { letsIn, type SecurityGroup } from '../health-port.ts';
import type { InputOf } from '../input.ts';
import { wishFor } from '../wish.ts';
import type { Deps } from './deps.ts';

const LIST_WAIT_MS = 20_000;

export async function refuseHealthCheck(
  { elb, ssm, clock }: Deps,
  input: InputOf<'RefuseHealthCheck'>,
): Promise<Record<string, never>> {
  const { loadBalancerName, healthPort, commandId } = input;
  const loadBalancer = await describeLoadBalancer(elb, loadBalancerName);
  const { instanceIds, securityGroupIds } = loadBalancer;
  const { instancePorts } = wishFor(loadBalancer, 'enable', {
    include: input.includePorts,
    exclude: input.excludePorts,
  });
  const [refusal] = checkHealthCheck(loadBalancer, instancePorts);
  // Somebody has moved it since Begin looked.
  if (refusal === undefined) throw new GateError('ERR_HEALTH_CHECK', `the health check is being changed. Run again.`);

  const invocations = await awaitInvocations(ssm, clock, commandId, instanceIds, LIST_WAIT_MS);
  const silent = instanceIds.filter((id) => {
    const invocation = invocations.get(id);
    return invocation === undefined || answerOf(invocation)?.ready !== true;
  });
  const groups = input.securityGroups as readonly SecurityGroup[];
  const isLetIn = letsIn(groups, Number(healthPort), { groupIds: securityGroupIds, cidrs: input.subnetCidrs });
  const ways = [
    ...(silent.length === 0
      ? []
      : [
          `First let the receivers answer on port ${healthPort}, which those of ${silent.join(', ')} do not: run with FinalMode both, which installs them and needs no other check.`,
        ]),
    ...(isLetIn
      ? []
      : [
          `First let the load balancer reach port ${healthPort} of the instances, which ${names(groups)} does not: aws ec2 authorize-security-group-ingress --group-id ${groups[0]?.GroupId ?? 'INSTANCES_GROUP'} --protocol tcp --port ${healthPort} --source-group ${securityGroupIds[0] ?? 'LOAD_BALANCERS_GROUP'}.`,
        ]),
  ];
  throw new GateError(
    'ERR_HEALTH_CHECK',
    `${refusal} ${
      ways.length > 0
        ? `${ways.join(' ')} Then run again, for the command that moves the check.`
        : `The receivers answer on port ${healthPort} (seen on all ${instanceIds.length} instances), and ${names(groups)} lets the load balancer in there (by its rules; network ACLs were not looked at): aws elb configure-health-check --load-balancer-name ${loadBalancerName} --health-check Target=HTTP:${healthPort}/healthz,Interval=10,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=2. Then run again.`
    }`,
  );
}

const names = (groups: readonly SecurityGroup[]): string =>
  groups.length === 0
    ? 'no security group that is known'
    : `security group ${groups.map((each) => each.GroupId).join(', ')}`;
