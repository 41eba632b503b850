/** Elastic Compute Cloud, API version 2016-11-15: what the runbook and people at the command line ask it. */
import type { Service } from '../aws/service.ts';
import type { World } from '../world.ts';
import { describeInstances } from './actions/describe-instances.ts';
import { describeNetworkInterfaces } from './actions/describe-network-interfaces.ts';
import { describeSubnets } from './actions/describe-subnets.ts';

export function createEc2Service({ world }: { readonly world: World }): Service {
  return {
    signingName: 'ec2',
    protocol: 'ec2Query',
    actions: {
      DescribeInstances: describeInstances(world),
      DescribeNetworkInterfaces: describeNetworkInterfaces(world),
      DescribeSubnets: describeSubnets(world),
    },
  };
}
