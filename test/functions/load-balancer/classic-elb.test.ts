/** The edge to the SDK: what is sent, and which of the service's errors mean what. */
import {
  AccessPointNotFoundException,
  CreateLoadBalancerPolicyCommand,
  DescribeLoadBalancerPoliciesCommand,
  DescribeLoadBalancersCommand,
  DescribeTagsCommand,
  DuplicatePolicyNameException,
  ElasticLoadBalancingClient,
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

    expect(described).toMatchObject({ instanceIds: ['i-1', 'i-2'], subnetIds: [], healthCheckTarget: undefined });
    expect(described.listeners).toHaveLength(1);
    expect(described.tags.size).toBe(0);
  });

  test.each([
    {
      what: "the SDK's class",
      error: new AccessPointNotFoundException({ message: 'none', $metadata: {} }),
    },
    { what: 'the wire code', error: Object.assign(new Error('none'), { name: 'LoadBalancerNotFound' }) },
    { what: 'an empty answer', error: undefined },
  ])('no such load balancer, told by $what, is named with the way out', async ({ error }) => {
    if (error === undefined) mock.on(DescribeLoadBalancersCommand).resolves({ LoadBalancerDescriptions: [] });
    else mock.on(DescribeLoadBalancersCommand).rejects(error);
    mock.on(DescribeLoadBalancerPoliciesCommand).resolves({});
    mock.on(DescribeTagsCommand).resolves({});

    await expect(describeLoadBalancer(elb, 'chta')).rejects.toMatchObject({
      code: 'ERR_LOAD_BALANCER_NOT_FOUND',
      message: expect.stringContaining('"chta"'),
    });
  });

  test('any other error is passed on as it is', async () => {
    mock.onAnyCommand().rejects(Object.assign(new Error('no'), { name: 'AccessDenied' }));

    await expect(describeLoadBalancer(elb, 'chat')).rejects.toThrow('no');
  });
});

describe('writing', () => {
  test('a policy that is there already is no error', async () => {
    mock.on(CreateLoadBalancerPolicyCommand).rejects(new DuplicatePolicyNameException({ message: '', $metadata: {} }));

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
