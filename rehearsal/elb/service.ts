/** Elastic Load Balancing, API version 2012-06-01 (Classic). */
import type { Service } from '../aws/service.ts';
import { addTags } from './actions/add-tags.ts';
import { applySecurityGroupsToLoadBalancer } from './actions/apply-security-groups-to-load-balancer.ts';
import { configureHealthCheck } from './actions/configure-health-check.ts';
import { createLoadBalancer } from './actions/create-load-balancer.ts';
import { createLoadBalancerListeners } from './actions/create-load-balancer-listeners.ts';
import { createLoadBalancerPolicy } from './actions/create-load-balancer-policy.ts';
import { deleteLoadBalancer } from './actions/delete-load-balancer.ts';
import { deleteLoadBalancerListeners } from './actions/delete-load-balancer-listeners.ts';
import { deleteLoadBalancerPolicy } from './actions/delete-load-balancer-policy.ts';
import { deregisterInstancesFromLoadBalancer } from './actions/deregister-instances-from-load-balancer.ts';
import { describeInstanceHealth } from './actions/describe-instance-health.ts';
import { describeLoadBalancerAttributes } from './actions/describe-load-balancer-attributes.ts';
import { describeLoadBalancerPolicies } from './actions/describe-load-balancer-policies.ts';
import { describeLoadBalancerPolicyTypes } from './actions/describe-load-balancer-policy-types.ts';
import { describeLoadBalancers } from './actions/describe-load-balancers.ts';
import { describeTags } from './actions/describe-tags.ts';
import { modifyLoadBalancerAttributes } from './actions/modify-load-balancer-attributes.ts';
import { registerInstancesWithLoadBalancer } from './actions/register-instances-with-load-balancer.ts';
import { removeTags } from './actions/remove-tags.ts';
import { setLoadBalancerPoliciesForBackendServer } from './actions/set-load-balancer-policies-for-backend-server.ts';
import { setLoadBalancerPoliciesOfListener } from './actions/set-load-balancer-policies-of-listener.ts';
import { LoadBalancers, type LoadBalancersOptions } from './model.ts';

export interface ElbService extends Service {
  readonly loadBalancers: LoadBalancers;
}

export function createElbService(options: LoadBalancersOptions): ElbService {
  const loadBalancers = new LoadBalancers(options);
  return {
    signingName: 'elasticloadbalancing',
    protocol: 'awsQuery',
    loadBalancers,
    actions: {
      AddTags: addTags(loadBalancers),
      ApplySecurityGroupsToLoadBalancer: applySecurityGroupsToLoadBalancer(loadBalancers),
      ConfigureHealthCheck: configureHealthCheck(loadBalancers),
      CreateLoadBalancer: createLoadBalancer(loadBalancers),
      CreateLoadBalancerListeners: createLoadBalancerListeners(loadBalancers),
      CreateLoadBalancerPolicy: createLoadBalancerPolicy(loadBalancers),
      DeleteLoadBalancer: deleteLoadBalancer(loadBalancers),
      DeleteLoadBalancerListeners: deleteLoadBalancerListeners(loadBalancers),
      DeleteLoadBalancerPolicy: deleteLoadBalancerPolicy(loadBalancers),
      DeregisterInstancesFromLoadBalancer: deregisterInstancesFromLoadBalancer(loadBalancers),
      DescribeInstanceHealth: describeInstanceHealth(loadBalancers),
      DescribeLoadBalancerAttributes: describeLoadBalancerAttributes(loadBalancers),
      DescribeLoadBalancerPolicies: describeLoadBalancerPolicies(loadBalancers),
      DescribeLoadBalancerPolicyTypes: describeLoadBalancerPolicyTypes(),
      DescribeLoadBalancers: describeLoadBalancers(loadBalancers),
      DescribeTags: describeTags(loadBalancers),
      ModifyLoadBalancerAttributes: modifyLoadBalancerAttributes(loadBalancers),
      RegisterInstancesWithLoadBalancer: registerInstancesWithLoadBalancer(loadBalancers),
      RemoveTags: removeTags(loadBalancers),
      SetLoadBalancerPoliciesForBackendServer: setLoadBalancerPoliciesForBackendServer(loadBalancers),
      SetLoadBalancerPoliciesOfListener: setLoadBalancerPoliciesOfListener(loadBalancers),
    },
  };
}
