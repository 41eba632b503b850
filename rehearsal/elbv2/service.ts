/** Elastic Load Balancing, API version 2015-12-01: Application Load Balancers. */
import type { Service } from '../aws/service.ts';
import { addTags } from './actions/add-tags.ts';
import { createListener } from './actions/create-listener.ts';
import { createLoadBalancer } from './actions/create-load-balancer.ts';
import { createRule } from './actions/create-rule.ts';
import { createTargetGroup } from './actions/create-target-group.ts';
import { deleteListener } from './actions/delete-listener.ts';
import { deleteLoadBalancer } from './actions/delete-load-balancer.ts';
import { deleteRule } from './actions/delete-rule.ts';
import { deleteTargetGroup } from './actions/delete-target-group.ts';
import { deregisterTargets } from './actions/deregister-targets.ts';
import { describeListeners } from './actions/describe-listeners.ts';
import { describeLoadBalancerAttributes } from './actions/describe-load-balancer-attributes.ts';
import { describeLoadBalancers } from './actions/describe-load-balancers.ts';
import { describeRules } from './actions/describe-rules.ts';
import { describeTags } from './actions/describe-tags.ts';
import { describeTargetGroupAttributes } from './actions/describe-target-group-attributes.ts';
import { describeTargetGroups } from './actions/describe-target-groups.ts';
import { describeTargetHealth } from './actions/describe-target-health.ts';
import { modifyListener } from './actions/modify-listener.ts';
import { modifyLoadBalancerAttributes } from './actions/modify-load-balancer-attributes.ts';
import { modifyRule } from './actions/modify-rule.ts';
import { modifyTargetGroup } from './actions/modify-target-group.ts';
import { modifyTargetGroupAttributes } from './actions/modify-target-group-attributes.ts';
import { registerTargets } from './actions/register-targets.ts';
import { removeTags } from './actions/remove-tags.ts';
import { setRulePriorities } from './actions/set-rule-priorities.ts';
import { setSecurityGroups } from './actions/set-security-groups.ts';
import { LoadBalancers, type LoadBalancersOptions } from './model.ts';

/** Under the signing name of the Classic API, from which the version in a request tells it; in process it is `elbv2`. */
export function createElbv2Service(options: LoadBalancersOptions): Service {
  const all = new LoadBalancers(options);
  return {
    signingName: 'elasticloadbalancing',
    name: 'elbv2',
    protocol: 'awsQuery',
    actions: {
      AddTags: addTags(all),
      CreateListener: createListener(all),
      CreateLoadBalancer: createLoadBalancer(all),
      CreateRule: createRule(all),
      CreateTargetGroup: createTargetGroup(all),
      DeleteListener: deleteListener(all),
      DeleteLoadBalancer: deleteLoadBalancer(all),
      DeleteRule: deleteRule(all),
      DeleteTargetGroup: deleteTargetGroup(all),
      DeregisterTargets: deregisterTargets(all),
      DescribeListeners: describeListeners(all),
      DescribeLoadBalancerAttributes: describeLoadBalancerAttributes(all),
      DescribeLoadBalancers: describeLoadBalancers(all),
      DescribeRules: describeRules(all),
      DescribeTags: describeTags(all),
      DescribeTargetGroupAttributes: describeTargetGroupAttributes(all),
      DescribeTargetGroups: describeTargetGroups(all),
      DescribeTargetHealth: describeTargetHealth(all),
      ModifyListener: modifyListener(all),
      ModifyLoadBalancerAttributes: modifyLoadBalancerAttributes(all),
      ModifyRule: modifyRule(all),
      ModifyTargetGroup: modifyTargetGroup(all),
      ModifyTargetGroupAttributes: modifyTargetGroupAttributes(all),
      RegisterTargets: registerTargets(all),
      RemoveTags: removeTags(all),
      SetRulePriorities: setRulePriorities(all),
      SetSecurityGroups: setSecurityGroups(all),
    },
  };
}
