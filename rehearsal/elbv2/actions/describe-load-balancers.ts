import type {
  DescribeLoadBalancersInput,
  DescribeLoadBalancersOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../../aws/service.ts';
import { describeLoadBalancer } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';
import { paged } from '../paging.ts';

/** A name that does not exist is an error, as with ARNs. */
export const describeLoadBalancers =
  (all: LoadBalancers) =>
  (input: DescribeLoadBalancersInput): DescribeLoadBalancersOutput => {
    const byName = (input.Names ?? []).map((name) => {
      const found = [...all.loadBalancers.values()].find((each) => each.name === name);
      if (found === undefined) throw new ServiceError('LoadBalancerNotFound', `Load balancers '[${name}]' not found`);
      return found;
    });
    const byArn = (input.LoadBalancerArns ?? []).map((arn) => all.loadBalancer(arn));
    const named = [...byName, ...byArn];
    const { page, nextMarker } = paged(named.length > 0 ? named : [...all.loadBalancers.values()], input);
    return { LoadBalancers: page.map(describeLoadBalancer), NextMarker: nextMarker };
  };
