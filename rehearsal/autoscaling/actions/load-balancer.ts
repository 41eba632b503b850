import type {
  AttachLoadBalancersType,
  AttachLoadBalancerTargetGroupsType,
  DescribeLoadBalancersRequest,
  DescribeLoadBalancersResponse,
  DescribeLoadBalancerTargetGroupsRequest,
  DescribeLoadBalancerTargetGroupsResponse,
  DetachLoadBalancersType,
  DetachLoadBalancerTargetGroupsType,
} from '@aws-sdk/client-auto-scaling';
import type { Groups } from '../groups.ts';
import { paged } from '../paging.ts';
import { refuseOthers } from '../refuse.ts';

type Nothing = Record<string, never>;

/** What a group registers its instances with. Attached, it has them when the action answers, where AWS answers before. */
export const loadBalancerActions = (groups: Groups) => ({
  async AttachLoadBalancers(input: AttachLoadBalancersType): Promise<Nothing> {
    refuseOthers(input, ['AutoScalingGroupName', 'LoadBalancerNames']);
    const { LoadBalancerNames: loadBalancerNames = [] } = input;
    await groups.attach(groups.get(input.AutoScalingGroupName), { loadBalancerNames });
    return {};
  },
  async DetachLoadBalancers(input: DetachLoadBalancersType): Promise<Nothing> {
    refuseOthers(input, ['AutoScalingGroupName', 'LoadBalancerNames']);
    await groups.detach(groups.get(input.AutoScalingGroupName), input.LoadBalancerNames ?? []);
    return {};
  },
  DescribeLoadBalancers(input: DescribeLoadBalancersRequest): DescribeLoadBalancersResponse {
    refuseOthers(input, ['AutoScalingGroupName', 'MaxRecords', 'NextToken']);
    const { page, nextToken } = paged(groups.get(input.AutoScalingGroupName).loadBalancerNames, input);
    return {
      LoadBalancers: page.map((LoadBalancerName) => ({ LoadBalancerName, State: 'InService' })),
      NextToken: nextToken,
    };
  },
  async AttachLoadBalancerTargetGroups(input: AttachLoadBalancerTargetGroupsType): Promise<Nothing> {
    refuseOthers(input, ['AutoScalingGroupName', 'TargetGroupARNs']);
    const { TargetGroupARNs: targetGroupArns = [] } = input;
    await groups.attach(groups.get(input.AutoScalingGroupName), { targetGroupArns });
    return {};
  },
  async DetachLoadBalancerTargetGroups(input: DetachLoadBalancerTargetGroupsType): Promise<Nothing> {
    refuseOthers(input, ['AutoScalingGroupName', 'TargetGroupARNs']);
    await groups.detach(groups.get(input.AutoScalingGroupName), input.TargetGroupARNs ?? []);
    return {};
  },
  DescribeLoadBalancerTargetGroups(
    input: DescribeLoadBalancerTargetGroupsRequest,
  ): DescribeLoadBalancerTargetGroupsResponse {
    refuseOthers(input, ['AutoScalingGroupName', 'MaxRecords', 'NextToken']);
    const { page, nextToken } = paged(groups.get(input.AutoScalingGroupName).targetGroupArns, input);
    return {
      LoadBalancerTargetGroups: page.map((arn) => ({ LoadBalancerTargetGroupARN: arn, State: 'InService' })),
      NextToken: nextToken,
    };
  },
});
