/** The edge to the SDK: what is sent, and which of the service's errors mean what. */
import {
  AccessPointNotFoundException,
  CreateLoadBalancerPolicyCommand,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DuplicatePolicyNameException,
  ElasticLoadBalancingClient,
  type HealthCheck,
  SetLoadBalancerPoliciesForBackendServerCommand,
} from '@aws-sdk/client-elastic-load-balancing';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createPolicy, describeLoadBalancer, setPolicies } from '../../../functions/load-balancer/classic-elb.ts';

const mock = mockClient(ElasticLoadBalancingClient);
const elb = new ElasticLoadBalancingClient({ region: 'eu-central-1' });

beforeEach(() => {
  mock.reset();
});

describe('describeLoadBalancer', () => {
  test('a load balancer without policies, tags or subnets is described as having none', async () => {
    mock.on(DescribeLoadBalancersCommand).resolves({
      LoadBalancerDescriptions: [
        {
          LoadBalancerName: 'chat',
          ListenerDescriptions: [
            { Listener: { Protocol: 'SSL', LoadBalancerPort: 443, InstanceProtocol: 'TCP', InstancePort: 81 } },
          ],
          Instances: [{ InstanceId: 'i-2' }, { InstanceId: 'i-1' }],
        },
      ],
    });
    mock.on(DescribeLoadBalancerPoliciesCommand).resolves({});
    mock.on(DescribeTagsCommand).resolves({});

    const described = await describeLoadBalancer(elb, 'chat');

    expect(described).toStrictEqual({
      loadBalancerName: 'chat',
      listeners: [{ loadBalancerPort: 443, protocol: 'SSL', instancePort: 81, instanceProtocol: 'TCP' }],
      instanceIds: ['i-1', 'i-2'],
      subnetIds: [],
      securityGroupIds: [],
      healthCheckTarget: 'TCP',
      policies: { byPort: new Map(), proxyPolicies: new Set(), ownExists: false },
      tags: new Map(),
    });
  });

  test('one that nothing is attached to at all has neither listeners nor instances', async () => {
    mock.on(DescribeLoadBalancersCommand).resolves({ LoadBalancerDescriptions: [{ LoadBalancerName: 'chat' }] });
    mock.on(DescribeLoadBalancerPoliciesCommand).resolves({});
    mock.on(DescribeTagsCommand).resolves({ TagDescriptions: [] });

    expect(await describeLoadBalancer(elb, 'chat')).toMatchObject({ listeners: [], instanceIds: [], tags: new Map() });
  });

  test('is asked for by its name alone, and described with its policies, tags and health check', async () => {
    mock.on(DescribeLoadBalancersCommand).resolves({
      LoadBalancerDescriptions: [
        {
          LoadBalancerName: 'chat',
          BackendServerDescriptions: [{ InstancePort: 81, PolicyNames: ['theirs', 'other'] }],
          Subnets: ['subnet-1'],
          SecurityGroups: ['sg-1'],
          HealthCheck: { Target: 'HTTP:8078/healthz' } as HealthCheck,
        },
      ],
    });
    mock.on(DescribeLoadBalancerPoliciesCommand).resolves({
      PolicyDescriptions: [
        {
          PolicyName: 'theirs',
          PolicyTypeName: 'ProxyProtocolPolicyType',
          PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
        },
      ],
    });
    mock
      .on(DescribeTagsCommand)
      .resolves({ TagDescriptions: [{ Tags: [{ Key: 'Name', Value: 'chat' }, { Key: 'public' }] }] });

    expect(await describeLoadBalancer(elb, 'chat')).toMatchObject({
      subnetIds: ['subnet-1'],
      securityGroupIds: ['sg-1'],
      healthCheckTarget: 'HTTP:8078/healthz',
      policies: { byPort: new Map([[81, ['theirs', 'other']]]), proxyPolicies: new Set(['theirs']), ownExists: false },
      tags: new Map([
        ['Name', 'chat'],
        ['public', ''],
      ]),
    });
    expect(mock.calls().map((call) => call.args[0].input)).toEqual([
      { LoadBalancerNames: ['chat'] },
      { LoadBalancerName: 'chat' },
      { LoadBalancerNames: ['chat'] },
    ]);
  });

  test.each([
    {
      what: "the SDK's class",
      error: new AccessPointNotFoundException({ message: 'none', $metadata: {} }),
    },
    { what: 'the wire code', error: Object.assign(new Error('none'), { name: 'LoadBalancerNotFound' }) },
    { what: 'an empty list', answer: { LoadBalancerDescriptions: [] } },
    { what: 'no list', answer: {} },
  ])('no such load balancer, told by $what, is named with the way out', async ({ error, answer = {} }) => {
    if (error === undefined) mock.on(DescribeLoadBalancersCommand).resolves(answer);
    else mock.on(DescribeLoadBalancersCommand).rejects(error);
    mock.on(DescribeLoadBalancerPoliciesCommand).resolves({});
    mock.on(DescribeTagsCommand).resolves({});

    await expect(describeLoadBalancer(elb, 'chta')).rejects.toMatchObject({
      code: 'ERR_LOAD_BALANCER_NOT_FOUND',
      message:
        'ERR_LOAD_BALANCER_NOT_FOUND: no Classic Load Balancer "chta" in this account and Region. Give the name as the EC2 console shows it (not the DNS name), and run in its Region.',
      cause: error,
    });
  });

  test('any other error is passed on as it is', async () => {
    mock.onAnyCommand().rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));

    await expect(describeLoadBalancer(elb, 'chat')).rejects.toMatchObject({ name: 'AccessDenied', message: 'no' });
  });
});

describe('writing', () => {
  test.each([
    ['the SDK’s class', new DuplicatePolicyNameException({ message: '', $metadata: {} })],
    ['the wire code', Object.assign(new Error('there'), { name: 'DuplicatePolicyName' })],
  ])('a policy that is there already, told by %s, is no error', async (_, error) => {
    mock.on(CreateLoadBalancerPolicyCommand).rejects(error);

    await expect(createPolicy(elb, 'chat')).resolves.toBeUndefined();
  });

  test('any other error of creating one is passed on', async () => {
    mock.on(CreateLoadBalancerPolicyCommand).rejects(Object.assign(new Error('20'), { name: 'TooManyPolicies' }));

    await expect(createPolicy(elb, 'chat')).rejects.toThrow('20');
  });

  test('taking the last policy off sends an empty list: an absent one would send nothing and raise no error', async () => {
    mock.on(SetLoadBalancerPoliciesForBackendServerCommand).resolves({});

    await setPolicies(elb, 'chat', 80, []);

    const calls = mock.commandCalls(SetLoadBalancerPoliciesForBackendServerCommand);
    expect(calls.map((call) => call.args[0].input)).toEqual([
      { LoadBalancerName: 'chat', InstancePort: 80, PolicyNames: [] },
    ]);
  });
});
