import type {
  DescribeLoadBalancerPoliciesInput,
  DescribeLoadBalancerPoliciesOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { ServiceError } from '../../aws/service.ts';
import { checkPoliciesExist } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

export const describeLoadBalancerPolicies =
  (loadBalancers: LoadBalancers) =>
  (input: DescribeLoadBalancerPoliciesInput): DescribeLoadBalancerPoliciesOutput => {
    if (input.LoadBalancerName === undefined) {
      throw new ServiceError(
        'OperationNotPermitted',
        "AWS's sample policies are not in the rehearsal: give a LoadBalancerName",
      );
    }
    const loadBalancer = loadBalancers.get(input.LoadBalancerName);
    const names = input.PolicyNames ?? [];
    checkPoliciesExist(loadBalancer, names);
    return {
      PolicyDescriptions: [...loadBalancer.policies.values()]
        .filter(({ name }) => names.length === 0 || names.includes(name))
        .map((policy) => ({
          PolicyName: policy.name,
          PolicyTypeName: policy.typeName,
          PolicyAttributeDescriptions: policy.attributes.map(({ name, value }) => ({
            AttributeName: name,
            AttributeValue: value,
          })),
        })),
    };
  };
