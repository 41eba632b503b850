import type { CreateLoadBalancerInput, CreateLoadBalancerOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../../aws/service.ts';
import { securityGroupsOf } from '../../elb/checks.ts';
import { checkName, refuseOthers, subnetsOf, tagsOf, validationError } from '../checks.ts';
import { describeLoadBalancer } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

/** Answers when it is active, where AWS answers before: its nodes take requests. */
export const createLoadBalancer =
  (all: LoadBalancers) =>
  async (input: CreateLoadBalancerInput): Promise<CreateLoadBalancerOutput> => {
    refuseOthers(input, [
      'Name',
      'Subnets',
      'SubnetMappings',
      'SecurityGroups',
      'Scheme',
      'Tags',
      'Type',
      'IpAddressType',
    ]);
    const name = input.Name ?? '';
    checkName('Load balancer', name);
    if ((input.Type ?? 'application') !== 'application') {
      throw validationError(`Load balancers of type '${input.Type}' are not in the rehearsal`);
    }
    if ((input.IpAddressType ?? 'ipv4') !== 'ipv4') throw validationError('The rehearsal has IPv4 alone');
    const scheme = input.Scheme ?? 'internet-facing';
    if (scheme !== 'internet-facing' && scheme !== 'internal') {
      throw new ServiceError('InvalidScheme', `Scheme must be internet-facing or internal, not '${scheme}'`);
    }
    if ([...all.loadBalancers.values()].some((each) => each.name === name)) {
      throw new ServiceError('DuplicateLoadBalancerName', `A load balancer with the name '${name}' already exists`);
    }
    const mapped = (input.SubnetMappings ?? []).map((mapping) => {
      refuseOthers(mapping, ['SubnetId']);
      return mapping.SubnetId ?? '';
    });
    const loadBalancer = await all.createLoadBalancer({
      name,
      scheme,
      subnets: subnetsOf(all.world, [...(input.Subnets ?? []), ...mapped]),
      securityGroupIds: securityGroupsOf(all.world, input.SecurityGroups),
      tags: tagsOf(new Map(), input.Tags),
    });
    return { LoadBalancers: [describeLoadBalancer(loadBalancer)] };
  };
