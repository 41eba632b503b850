/** Elastic Compute Cloud, API version 2016-11-15: what the runbook and people at the command line ask it, and what stacks make in it. */
import type { Service } from '../aws/service.ts';
import type { World } from '../world.ts';
import { describeAvailabilityZones } from './actions/describe-availability-zones.ts';
import { describeInstances } from './actions/describe-instances.ts';
import { describeNetworkInterfaces } from './actions/describe-network-interfaces.ts';
import { describeSubnets } from './actions/describe-subnets.ts';
import { internetGatewayActions } from './actions/internet-gateway.ts';
import { launchTemplateActions } from './actions/launch-template.ts';
import { routeTableActions } from './actions/route-table.ts';
import { runInstances } from './actions/run-instances.ts';
import { securityGroupActions } from './actions/security-group.ts';
import { subnetActions } from './actions/subnet.ts';
import { terminateInstances } from './actions/terminate-instances.ts';
import { vpcActions } from './actions/vpc.ts';
import { LaunchTemplateStore } from './launch-templates.ts';
import type { Ec2Parts, Machines } from './parts.ts';
import { type Vpc, VpcStore } from './vpc-store.ts';

export interface Ec2Options {
  readonly world: World;
  readonly machines: Machines;
  /** That the account has from the beginning. */
  readonly vpcs?: readonly Pick<Vpc, 'vpcId' | 'cidrBlock'>[];
}

export function createEc2Service({ world, machines, vpcs = [] }: Ec2Options): Service {
  const parts: Ec2Parts = { world, machines, vpcs: new VpcStore(vpcs), launchTemplates: new LaunchTemplateStore() };
  return {
    signingName: 'ec2',
    protocol: 'ec2Query',
    actions: {
      DescribeAvailabilityZones: describeAvailabilityZones,
      DescribeInstances: describeInstances(world),
      DescribeNetworkInterfaces: describeNetworkInterfaces(world),
      DescribeSubnets: describeSubnets(world),
      RunInstances: runInstances(parts),
      TerminateInstances: terminateInstances(parts),
      ...internetGatewayActions(parts),
      ...launchTemplateActions(parts),
      ...routeTableActions(parts),
      ...securityGroupActions(parts),
      ...subnetActions(parts),
      ...vpcActions(parts),
    },
  };
}
