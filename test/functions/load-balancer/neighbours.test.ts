/** Which other load balancers count: those with an instance of ours and a listener on an instance port of ours. */
import type { ElasticLoadBalancingClient, LoadBalancerDescription } from '@aws-sdk/client-elastic-load-balancing';
import { describe, expect, test } from '@jest/globals';
import type { LoadBalancer } from '../../../functions/load-balancer/classic-elb.ts';
import { describeNeighbours } from '../../../functions/load-balancer/neighbours.ts';
import { FakeError } from '../fake-aws.ts';

const WEB = { loadBalancerName: 'web', instanceIds: ['i-1', 'i-2'] } as unknown as LoadBalancer;
const PORTS = [
  { port: 80, scheme: 'http' },
  { port: 81, scheme: 'https' },
] as const;

const other = (name: string, ports: readonly number[], instanceIds: readonly string[], more = {}) =>
  ({
    LoadBalancerName: name,
    ListenerDescriptions: ports.map((InstancePort) => ({ Listener: { InstancePort } })),
    Instances: instanceIds.map((InstanceId) => ({ InstanceId })),
    ...more,
  }) as LoadBalancerDescription;
const theirs = {
  PolicyName: 'theirs',
  PolicyTypeName: 'ProxyProtocolPolicyType',
  PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
};

/** Each load balancer has the policy `theirs`. @param errors  by name: asked for its policies, that one gives none */
function elb(pages: LoadBalancerDescription[][], errors: Readonly<Record<string, string>> = {}) {
  const calls: unknown[] = [];
  const client = {
    async send(command: { input: { Marker?: string; LoadBalancerName?: string } }) {
      const { input } = command;
      const action = command.constructor.name.replace('Command', '');
      calls.push({ [action]: input });
      if (action === 'DescribeLoadBalancerPolicies') {
        const error = errors[input.LoadBalancerName ?? ''];
        if (error !== undefined) throw new FakeError(error);
        return { PolicyDescriptions: [theirs] };
      }
      const page = Number(input.Marker ?? 0);
      return { LoadBalancerDescriptions: pages[page], NextMarker: page + 1 < pages.length ? String(page + 1) : '' };
    },
  };
  return { client: client as unknown as ElasticLoadBalancingClient, calls };
}

const policies = (...byPort: [number, string[]][]) => ({
  byPort: new Map(byPort),
  proxyPolicies: new Set(['theirs']),
  ownExists: false,
});

describe('a neighbour', () => {
  test('is told with the instances and ports that both have, and its policies', async () => {
    const blue = other('blue', [80, 80, 22, 81], ['i-2', 'i-9'], {
      BackendServerDescriptions: [{ InstancePort: 80, PolicyNames: ['theirs'] }],
    });

    expect(await describeNeighbours(elb([[blue]]).client, WEB, PORTS)).toStrictEqual([
      { loadBalancerName: 'blue', instanceIds: ['i-2'], ports: [80, 81], policies: policies([80, ['theirs']]) },
    ]);
  });

  test.each([
    ['the load balancer itself', other('web', [80], ['i-1'])],
    ['one with the ports on other instances', other('blue', [80, 81], ['i-9'])],
    ['one with the instances on other ports', other('blue', [22, 8080], ['i-1', 'i-2'])],
    ['one with neither', { LoadBalancerName: 'blue' }],
  ])('is not %s, and nothing more is asked of that', async (_, each) => {
    const { client, calls } = elb([[each]]);

    expect(await describeNeighbours(client, WEB, PORTS)).toStrictEqual([]);
    expect(calls).toEqual([{ DescribeLoadBalancers: {} }]);
  });

  test('is not one that was deleted since it was listed; any other error is one', async () => {
    const page = [other('blue', [80], ['i-1']), other('green', [81], ['i-2'])];

    expect(
      await describeNeighbours(elb([page], { blue: 'AccessPointNotFoundException' }).client, WEB, PORTS),
    ).toMatchObject([{ loadBalancerName: 'green' }]);
    await expect(describeNeighbours(elb([page], { green: 'AccessDenied' }).client, WEB, PORTS)).rejects.toThrow(
      'fake AccessDenied',
    );
  });

  test('may stand on any page', async () => {
    const { client, calls } = elb([[other('blue', [80], ['i-1'])], [], [other('green', [81], ['i-2'])]]);

    expect(await describeNeighbours(client, WEB, PORTS)).toStrictEqual([
      { loadBalancerName: 'blue', instanceIds: ['i-1'], ports: [80], policies: policies() },
      { loadBalancerName: 'green', instanceIds: ['i-2'], ports: [81], policies: policies() },
    ]);
    expect(calls).toEqual([
      { DescribeLoadBalancers: {} },
      { DescribeLoadBalancers: { Marker: '1' } },
      { DescribeLoadBalancers: { Marker: '2' } },
      { DescribeLoadBalancerPolicies: { LoadBalancerName: 'blue' } },
      { DescribeLoadBalancerPolicies: { LoadBalancerName: 'green' } },
    ]);
  });
});
