import type { DescribeTargetGroupsInput, DescribeTargetGroupsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceError } from '../../aws/service.ts';
import { describeTargetGroup } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';
import { paged } from '../paging.ts';

export const describeTargetGroups =
  (all: LoadBalancers) =>
  (input: DescribeTargetGroupsInput): DescribeTargetGroupsOutput => {
    const groups = [...all.targetGroups.values()];
    const byName = (input.Names ?? []).map((name) => {
      const found = groups.find((each) => each.name === name);
      if (found === undefined) throw new ServiceError('TargetGroupNotFound', `Target groups '[${name}]' not found`);
      return found;
    });
    const named = [...byName, ...(input.TargetGroupArns ?? []).map((arn) => all.targetGroup(arn))];
    const wanted =
      input.LoadBalancerArn === undefined
        ? named.length > 0
          ? named
          : groups
        : groups.filter(({ arn }) => all.userOf(arn)?.arn === all.loadBalancer(input.LoadBalancerArn).arn);
    const { page, nextMarker } = paged(wanted, input);
    return { TargetGroups: page.map((group) => describeTargetGroup(all, group)), NextMarker: nextMarker };
  };
