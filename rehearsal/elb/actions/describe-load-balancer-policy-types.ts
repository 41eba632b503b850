import type {
  DescribeLoadBalancerPolicyTypesInput,
  DescribeLoadBalancerPolicyTypesOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { POLICY_TYPES, policyType } from '../policy-types.ts';

export const describeLoadBalancerPolicyTypes =
  () =>
  (input: DescribeLoadBalancerPolicyTypesInput): DescribeLoadBalancerPolicyTypesOutput => {
    const names = input.PolicyTypeNames ?? [];
    const types = names.length > 0 ? names.map(policyType) : POLICY_TYPES;
    return {
      PolicyTypeDescriptions: types.map((type) => ({
        PolicyTypeName: type.name,
        Description: type.description,
        PolicyAttributeTypeDescriptions: type.attributes.map((attribute) => ({
          AttributeName: attribute.name,
          AttributeType: attribute.type,
          Description: attribute.description,
          Cardinality: attribute.cardinality,
        })),
      })),
    };
  };
