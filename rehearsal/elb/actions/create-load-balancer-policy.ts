import type {
  CreateLoadBalancerPolicyInput,
  CreateLoadBalancerPolicyOutput,
} from '@aws-sdk/client-elastic-load-balancing';
import { ServiceError } from '../../aws/service.ts';
import { validationError } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';
import { checkPolicy, type Policy } from '../policy-types.ts';

/**
 * The same policy again is no error, another content under the same name is. The API reference says only "Duplicate"; that
 * Kubernetes creates its policy on every round, and takes any error for fatal, says the first (cloud-provider-aws, l. 1329).
 */
export const createLoadBalancerPolicy =
  (loadBalancers: LoadBalancers) =>
  (input: CreateLoadBalancerPolicyInput): CreateLoadBalancerPolicyOutput => {
    const loadBalancer = loadBalancers.get(input.LoadBalancerName ?? '');
    const policy: Policy = {
      name: input.PolicyName ?? '',
      typeName: input.PolicyTypeName ?? '',
      attributes: (input.PolicyAttributes ?? []).map(({ AttributeName, AttributeValue }) => ({
        name: AttributeName ?? '',
        value: AttributeValue ?? '',
      })),
    };
    if (!/^[A-Za-z0-9-]+$/.test(policy.name)) {
      throw validationError(`PolicyName '${policy.name}' must be letters, digits and hyphens`);
    }
    checkPolicy(policy, loadBalancer.policies);
    const existing = loadBalancer.policies.get(policy.name);
    if (existing !== undefined && contentOf(existing) !== contentOf(policy)) {
      throw new ServiceError(
        'DuplicatePolicyName',
        `Policy with name ${policy.name} already exists with other content`,
      );
    }
    if (existing === undefined) loadBalancer.policies.set(policy.name, policy);
    return {};
  };

const contentOf = ({ typeName, attributes }: Policy): string =>
  JSON.stringify([
    typeName,
    attributes.map(({ name, value }) => [name, /^(true|false)$/i.test(value) ? value.toLowerCase() : value]),
  ]);
