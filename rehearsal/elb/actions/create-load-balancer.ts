import type { CreateAccessPointInput, CreateAccessPointOutput } from '@aws-sdk/client-elastic-load-balancing';
import { ServiceError } from '../../aws/service.ts';
import {
  checkName,
  checkNotDuplicate,
  checkSharedInstancePort,
  checkTags,
  parseListener,
  securityGroupsOf,
  subnetsOf,
  validationError,
} from '../checks.ts';
import type { Listener, LoadBalancers } from '../model.ts';

export const createLoadBalancer =
  (loadBalancers: LoadBalancers) =>
  async (input: CreateAccessPointInput): Promise<CreateAccessPointOutput> => {
    const name = input.LoadBalancerName ?? '';
    checkName(name);
    if (loadBalancers.has(name)) {
      throw new ServiceError('DuplicateLoadBalancerName', `Load Balancer named '${name}' already exists`);
    }
    const scheme = input.Scheme ?? 'internet-facing';
    if (scheme !== 'internet-facing' && scheme !== 'internal') {
      throw new ServiceError('InvalidScheme', `Scheme must be internet-facing or internal, not '${scheme}'`);
    }
    if ((input.Listeners ?? []).length === 0) throw validationError('Listeners cannot be empty');
    const listeners: Listener[] = [];
    for (const each of input.Listeners ?? []) {
      const listener = parseListener(each);
      checkNotDuplicate(listener, listeners);
      checkSharedInstancePort(listener, listeners);
      listeners.push(listener);
    }
    const subnets = subnetsOf(loadBalancers.world, input);
    const securityGroupIds = securityGroupsOf(loadBalancers.world, input.SecurityGroups);
    checkTags(new Map(), input.Tags ?? []);
    const tags = new Map((input.Tags ?? []).map(({ Key, Value }) => [Key ?? '', Value ?? '']));

    const { dnsName } = await loadBalancers.create({ name, scheme, subnets, securityGroupIds, listeners, tags });
    return { DNSName: dnsName };
  };
