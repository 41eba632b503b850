/**
 * The policy types that the rehearsal has, as DescribeLoadBalancerPolicyTypes lists them.
 *
 * ProxyProtocolPolicyType has effect. The two of back-end authentication are kept as records, because what sets a policy on an
 * instance port must write the others back; they have none here, since TCP towards the instance has nothing to authenticate.
 * SSLNegotiationPolicyType is a record too: the nodes take TLS 1.2 and 1.3, whatever it says.
 */
import { ServiceError } from '../aws/service.ts';

interface AttributeType {
  readonly name: string;
  readonly type: 'Boolean' | 'String' | 'PolicyName';
  readonly cardinality: 'ONE' | 'ONE_OR_MORE';
  readonly description: string;
}

export interface PolicyType {
  readonly name: string;
  readonly description: string;
  /** What SetLoadBalancerPoliciesForBackendServer may enable. */
  readonly isForInstancePort: boolean;
  /** What SetLoadBalancerPoliciesOfListener may enable. */
  readonly isForListener: boolean;
  readonly attributes: readonly AttributeType[];
}

export interface Policy {
  readonly name: string;
  readonly typeName: string;
  /** In the order given; values as given. */
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export const POLICY_TYPES: readonly PolicyType[] = [
  {
    name: 'ProxyProtocolPolicyType',
    description:
      'Controls whether a connection to the instance begins with the PROXY protocol, on TCP and SSL listeners.',
    isForInstancePort: true,
    isForListener: false,
    attributes: [
      {
        name: 'ProxyProtocol',
        type: 'Boolean',
        cardinality: 'ONE',
        description: 'Whether the PROXY line with the address and port of the client is sent.',
      },
    ],
  },
  {
    name: 'PublicKeyPolicyType',
    description: 'A public key, to be named by a policy of type BackendServerAuthenticationPolicyType.',
    isForInstancePort: false,
    isForListener: false,
    attributes: [
      { name: 'PublicKey', type: 'String', cardinality: 'ONE', description: 'The key, PEM without its frame.' },
    ],
  },
  {
    name: 'BackendServerAuthenticationPolicyType',
    description: 'Which public keys an instance may have, for HTTPS and SSL towards the instance.',
    isForInstancePort: true,
    isForListener: false,
    attributes: [
      {
        name: 'PublicKeyPolicyName',
        type: 'PolicyName',
        cardinality: 'ONE_OR_MORE',
        description: 'A policy of type PublicKeyPolicyType.',
      },
    ],
  },
  {
    name: 'SSLNegotiationPolicyType',
    description: 'The protocols and ciphers of SSL listeners, by the name of one of the predefined policies.',
    isForInstancePort: false,
    isForListener: true,
    attributes: [
      {
        name: 'Reference-Security-Policy',
        type: 'String',
        cardinality: 'ONE',
        description: 'ELBSecurityPolicy-TLS-1-2-2017-01, for example.',
      },
    ],
  },
];

/** @throws ServiceError PolicyTypeNotFound */
export function policyType(name: string): PolicyType {
  const type = POLICY_TYPES.find((each) => each.name === name);
  if (type === undefined) throw new ServiceError('PolicyTypeNotFound', `There is no policy type named ${name}`);
  return type;
}

/** @throws ServiceError PolicyTypeNotFound | InvalidConfigurationRequest */
export function checkPolicy(policy: Policy, policies: ReadonlyMap<string, Policy>): void {
  const type = policyType(policy.typeName);
  for (const { name, value } of policy.attributes) {
    const attribute = type.attributes.find((each) => each.name === name);
    if (attribute === undefined) throw invalid(`Policy type ${type.name} has no attribute ${name}`);
    if (attribute.type === 'Boolean' && !/^(true|false)$/i.test(value)) {
      throw invalid(`Attribute ${name} must be true or false, not '${value}'`);
    }
    if (attribute.type === 'PolicyName' && policies.get(value)?.typeName !== 'PublicKeyPolicyType') {
      throw invalid(`Attribute ${name}: there is no public key policy named ${value}`);
    }
  }
  for (const attribute of type.attributes) {
    const times = policy.attributes.filter(({ name }) => name === attribute.name).length;
    if (times === 0 || (times > 1 && attribute.cardinality === 'ONE')) {
      throw invalid(
        `Attribute ${attribute.name} of policy type ${type.name} is given ${times} times: ${attribute.cardinality}`,
      );
    }
  }
}

/** Any case: Terraform has sent "True" for years (terraform-provider-aws, proxy_protocol_policy.go). */
export function isProxyProtocol(policy: Policy | undefined): boolean {
  return (
    policy?.typeName === 'ProxyProtocolPolicyType' &&
    policy.attributes.some(({ name, value }) => name === 'ProxyProtocol' && value.toLowerCase() === 'true')
  );
}

const invalid = (message: string) => new ServiceError('InvalidConfigurationRequest', message, 409);
