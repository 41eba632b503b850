import type { DescribeListenersInput, DescribeListenersOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { validationError } from '../checks.ts';
import { describeListener } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';
import { paged } from '../paging.ts';

export const describeListeners =
  (all: LoadBalancers) =>
  (input: DescribeListenersInput): DescribeListenersOutput => {
    const arns = input.ListenerArns ?? [];
    if (arns.length === 0 && input.LoadBalancerArn === undefined) {
      throw validationError('You must specify either listener ARNs or a load balancer ARN');
    }
    const wanted =
      arns.length > 0
        ? arns.map((arn) => all.listener(arn))
        : all.listenersOf(all.loadBalancer(input.LoadBalancerArn).arn);
    const { page, nextMarker } = paged(wanted, input);
    return { Listeners: page.map(describeListener), NextMarker: nextMarker };
  };
