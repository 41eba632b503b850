/** Runs that are refused: each gate names the thing and the way out, and nothing is changed. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { type FakeAws, type FakeLoadBalancer, listener, proxyPolicy, tcp } from '../fake-aws.ts';
import { newFleet, type Receivers, request, runSwitch, stepsOf } from './driver.ts';

let aws: FakeAws;
let web: FakeLoadBalancer;
let receivers: Receivers;

beforeEach(() => {
  ({ aws, web, receivers } = newFleet());
});

describe('gates: each names the thing and the way out, and nothing is changed', () => {
  const gates: { desc: string; arrange: () => Record<string, unknown> | undefined; says: RegExp }[] = [
    {
      desc: 'no such load balancer',
      arrange: () => void aws.loadBalancers.clear(),
      says: /ERR_LOAD_BALANCER_NOT_FOUND: no Classic Load Balancer "web"/,
    },
    {
      desc: 'no instance',
      arrange: () => {
        web.instanceIds = [];
      },
      says: /ERR_NO_INSTANCES.*EmptyFleet/,
    },
    {
      desc: 'an instance that is not managed',
      arrange: () => void aws.managed.delete('i-2'),
      says: /ERR_INSTANCE_UNMANAGED: i-2 .*AmazonSSMManagedInstanceCore/,
    },
    {
      desc: 'an instance that is offline',
      arrange: () => void aws.addInstance('i-2', { pingStatus: 'ConnectionLost' }),
      says: /ERR_INSTANCE_OFFLINE.*i-2 is ConnectionLost/,
    },
    {
      desc: 'an instance without the tag',
      arrange: () => void aws.addInstance('i-2', { tagged: false }),
      says: /ERR_INSTANCE_UNTAGGED: i-2 .*fleet=web/,
    },
    {
      desc: 'instance protocol SSL',
      arrange: () => void web.listeners.push(listener('SSL', 8443, 'SSL', 8443)),
      says: /ERR_INSTANCE_PROTOCOL: listener 8443 speaks SSL to instance port 8443: .*inside TLS.*ExcludePorts/,
    },
    {
      desc: 'HTTP that shares a TCP listener’s port',
      arrange: () => void web.listeners.push(listener('HTTP', 8080, 'HTTP', 80)),
      says: /ERR_INSTANCE_PROTOCOL: listener 8080 speaks HTTP to instance port 80/,
    },
    {
      desc: 'HTTP that is asked for by name',
      arrange: () => {
        web.listeners.push(listener('HTTPS', 8080, 'HTTPS', 82));
        return { includePorts: '82' };
      },
      says: /ERR_INSTANCE_PROTOCOL: listener 8080 speaks HTTPS to instance port 82/,
    },
    {
      desc: 'a health check by HTTP',
      arrange: () => {
        web.healthCheckTarget = 'HTTP:80/';
      },
      says: /ERR_HEALTH_CHECK: the health check HTTP:80\/ goes to instance port 80 .*First let the receivers answer on port 8078/,
    },
    {
      desc: 'a health check by SSL',
      arrange: () => {
        web.healthCheckTarget = 'SSL:81';
      },
      says: /ERR_HEALTH_CHECK/,
    },
    {
      desc: 'Kubernetes',
      arrange: () => {
        web.tags['kubernetes.io/cluster/prod'] = 'owned';
      },
      says: /ERR_OTHER_CONTROLLER.*kubernetes\.io\/cluster\/prod=owned/,
    },
    {
      desc: 'no port to switch',
      arrange: () => {
        web.listeners = [tcp(22, 22)];
      },
      says: /ERR_NO_INSTANCE_PORTS/,
    },
    {
      desc: 'a foreign policy that is to be refused',
      arrange: () => {
        web.policies.push(proxyPolicy('TFEnableProxyProtocol'));
        web.backend[80] = ['TFEnableProxyProtocol'];
        return { foreignPolicy: 'Refuse' };
      },
      says: /ERR_FOREIGN_POLICY.*port 80.*TFEnableProxyProtocol/,
    },
    {
      desc: 'a neighbour that sends plain connections to a shared port',
      arrange: () => void aws.addLoadBalancer('blue', { instanceIds: ['i-2'], listeners: [tcp(80, 80)] }),
      says: /ERR_INSTANCE_SHARED: load balancer blue .*port 80 of i-2/,
    },
    {
      desc: 'a bad port list',
      arrange: () => ({ excludePorts: 'ssh' }),
      says: /ERR_INVALID_PORT_LIST: ExcludePorts is "ssh"/,
    },
  ];

  test.each(gates)('$desc', async ({ arrange, says }) => {
    const given = arrange();
    const before = structuredClone(web);
    const { error, undone, trace } = await runSwitch(aws, receivers, given === undefined ? {} : { request: given });
    expect(error?.message).toMatch(says);
    expect(trace[0]).toBe('Begin');
    // Of a health check it is told behind a look at the way out.
    expect(trace.slice(1).filter((step) => step !== 'RefuseHealthCheck')).toEqual([]);
    expect(undone).toMatchObject({ restore: 'no', summary: 'Nothing was changed by this execution.' });
    expect(web).toEqual(before);
    expect(aws.parameters.size).toBe(0);
  });

  test.each([
    {
      desc: 'a health check by TCP',
      arrange: () => {
        web.healthCheckTarget = 'TCP:80';
      },
    },
    {
      desc: 'a health check by HTTP on a port of its own',
      arrange: () => {
        web.healthCheckTarget = 'HTTP:8078/healthz';
      },
    },
    {
      desc: 'a neighbour that has PROXY on there',
      arrange: () =>
        void aws.addLoadBalancer('blue', {
          instanceIds: ['i-2'],
          listeners: [tcp(80, 80)],
          policies: [proxyPolicy('p')],
          backend: { 80: ['p'] },
        }),
    },
    {
      desc: 'a neighbour on other instances',
      arrange: () => void aws.addLoadBalancer('blue', { instanceIds: ['i-9'], listeners: [tcp(80, 80)] }),
    },
    {
      desc: 'an HTTP listener on a port of its own',
      arrange: () => void web.listeners.push(listener('HTTP', 8080, 'HTTP', 8080)),
    },
  ])('$desc passes', async ({ arrange }) => {
    arrange();
    expect((await runSwitch(aws, receivers)).finished).toMatchObject({ mode: 'proxy' });
  });

  test.each<{ desc: string; check?: string; groups?: Record<string, readonly string[]>; says: readonly RegExp[] }>([
    { desc: 'a health check that asks the receiver', check: 'HTTP:8078/healthz', says: [] },
    {
      desc: 'no group',
      says: [
        /^The health check TCP:80 of web does not ask \/healthz, and no Auto Scaling group .* Point the health check at HTTP:8078\/healthz, or launch/,
      ],
    },
    {
      desc: 'a group without a hook for launching',
      groups: { blue: ['autoscaling:EC2_INSTANCE_TERMINATING'] },
      says: [
        /Auto Scaling group blue has no lifecycle hook for launching: .* or give it a lifecycle hook for autoscaling:EC2_INSTANCE_LAUNCHING/,
      ],
    },
    { desc: 'a group with one', groups: { blue: ['autoscaling:EC2_INSTANCE_LAUNCHING'] }, says: [] },
    {
      desc: 'one of two groups has it',
      groups: { blue: ['autoscaling:EC2_INSTANCE_LAUNCHING'], green: [] },
      says: [/group green has no lifecycle hook/],
    },
  ])('instances that come later, $desc: $says', async ({ check = 'TCP:80', groups = {}, says }) => {
    web.healthCheckTarget = check;
    Object.entries(groups).forEach(([name, hooks], index) => {
      aws.scalingGroups.set(name, { instanceIds: [`i-${index + 1}`], hooks });
    });
    const { warnings } = await stepsOf(aws)('Begin', request({ request: { planOnly: 'yes' } }));
    for (const each of says) expect(warnings).toMatch(each);
    expect(warnings.match(/The health check/g) ?? []).toHaveLength(says.length);
  });

  test('a warning that cannot be looked up is said, and stops nothing', async () => {
    web.healthCheckTarget = 'TCP:80';
    aws.fault = (action) => {
      if (action === 'DescribeAutoScalingInstances') throw new Error('AccessDenied');
    };
    const { warnings } = await stepsOf(aws)('Begin', request({ request: { planOnly: 'yes' } }));
    expect(warnings).toContain('whether its Auto Scaling group has a lifecycle hook is not known (AccessDenied)');
  });
});
