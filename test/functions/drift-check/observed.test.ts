/** What the service says of a load balancer, in the words of its API, as it is compared. */
import type { LoadBalancerDescription } from '@aws-sdk/client-elastic-load-balancing';
import { describe, expect, test } from '@jest/globals';
import {
  type ObservedLoadBalancer,
  observe,
  policiesOn,
  policyNamesOf,
  proxyPoliciesOn,
  sentTo,
} from '../../../functions/drift-check/observed.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { loadBalancer } from './situations.ts';

const policy = (PolicyName: string, PolicyTypeName: string, attribute?: string) => ({
  PolicyName,
  PolicyTypeName,
  ...(attribute === undefined
    ? {}
    : { PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol', AttributeValue: attribute }] }),
});
const tags = new Map([['Name', 'web']]);

describe('observe', () => {
  test('takes what is compared', () => {
    const description: LoadBalancerDescription = {
      LoadBalancerName: 'web',
      CreatedTime: new Date('2026-01-01T00:00:00Z'),
      ListenerDescriptions: [
        { Listener: { Protocol: 'tcp', LoadBalancerPort: 80, InstanceProtocol: 'tcp', InstancePort: 80 } },
        {
          Listener: {
            Protocol: 'SSL',
            LoadBalancerPort: 443,
            InstanceProtocol: 'TCP',
            InstancePort: 81,
            SSLCertificateId: 'arn:aws:acm:cert',
          },
        },
      ],
      BackendServerDescriptions: [
        { InstancePort: 80, PolicyNames: [POLICY_NAME] },
        { InstancePort: 81, PolicyNames: ['server-auth', 'theirs'] },
      ],
      HealthCheck: {
        Target: 'HTTP:8078/healthz',
        Interval: 10,
        Timeout: 4,
        UnhealthyThreshold: 3,
        HealthyThreshold: 6,
      },
    };
    const policies = [
      policy(POLICY_NAME, 'ProxyProtocolPolicyType', 'true'),
      policy('theirs', 'ProxyProtocolPolicyType', 'false'),
      policy('server-auth', 'BackendServerAuthenticationPolicyType'),
      policy('sticky', 'LBCookieStickinessPolicyType'),
    ];

    expect(observe(description, policies, tags)).toEqual({
      name: 'web',
      createdAt: Date.parse('2026-01-01T00:00:00Z'),
      listeners: [
        { protocol: 'TCP', loadBalancerPort: 80, instanceProtocol: 'TCP', instancePort: 80, certificateId: undefined },
        {
          protocol: 'SSL',
          loadBalancerPort: 443,
          instanceProtocol: 'TCP',
          instancePort: 81,
          certificateId: 'arn:aws:acm:cert',
        },
      ],
      healthCheck: {
        target: 'HTTP:8078/healthz',
        interval: 10,
        timeout: 4,
        unhealthyThreshold: 3,
        healthyThreshold: 6,
      },
      policyNames: new Map([
        [80, [POLICY_NAME]],
        [81, ['server-auth', 'theirs']],
      ]),
      proxyPolicies: new Set([POLICY_NAME]),
      idlePolicies: new Set(['theirs']),
      tags,
    } satisfies ObservedLoadBalancer);
  });

  test('takes as little as the service may say', () => {
    expect(observe({ LoadBalancerName: 'web' }, [], new Map())).toEqual({
      name: 'web',
      createdAt: 0,
      listeners: [],
      healthCheck: undefined,
      policyNames: new Map(),
      proxyPolicies: new Set(),
      idlePolicies: new Set(),
      tags: new Map(),
    } satisfies ObservedLoadBalancer);
  });

  test.each([
    ['no target', {}, undefined],
    [
      'a target alone has the times that the service would have put in',
      { Target: 'TCP:80' },
      { target: 'TCP:80', interval: 30, timeout: 5, unhealthyThreshold: 2, healthyThreshold: 10 },
    ],
  ])('a health check with %s', (_desc, check, healthCheck) => {
    const HealthCheck = check as LoadBalancerDescription['HealthCheck'];

    expect(observe({ LoadBalancerName: 'web', HealthCheck }, [], tags).healthCheck).toEqual(healthCheck);
  });
});

describe('an instance port', () => {
  const observed = loadBalancer({ 80: ['server-auth', 'theirs', POLICY_NAME], 81: ['server-auth', 'theirs-off'] });

  test.each<[number, readonly string[], readonly string[], 'plain' | 'proxy']>([
    [80, ['server-auth', 'theirs', POLICY_NAME], ['theirs', POLICY_NAME], 'proxy'],
    [81, ['server-auth', 'theirs-off'], [], 'plain'],
    [82, [], [], 'plain'],
  ])(
    '%s has its policies in the service’s order, and gets the line by one that writes it',
    (port, all, proxy, sent) => {
      expect(policiesOn(observed, port)).toEqual(all);
      expect(proxyPoliciesOn(observed, port)).toEqual(proxy);
      expect(sentTo(observed, port)).toBe(sent);
    },
  );

  test('without policies is not in the service’s list, or with none', () => {
    expect(policyNamesOf({ BackendServerDescriptions: [{ InstancePort: 80 }] })).toEqual(new Map([[80, []]]));
  });
});
