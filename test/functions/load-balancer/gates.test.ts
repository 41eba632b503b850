/** What stands in the way, in the words that a person gets. */
import { describe, expect, test } from '@jest/globals';
import type { LoadBalancer } from '../../../functions/load-balancer/classic-elb.ts';
import {
  asksForReceiver,
  checkController,
  checkFleet,
  checkForeign,
  checkHealthCheck,
  checkInstanceProtocols,
  checkInstances,
  checkNeighbours,
  checkPorts,
  GateError,
  portsFedPlainly,
  refuse,
  warnOfNewcomers,
} from '../../../functions/load-balancer/gates.ts';

const web = (more: object = {}): LoadBalancer =>
  ({
    loadBalancerName: 'web',
    listeners: [],
    tags: new Map(),
    instanceIds: [],
    healthCheckTarget: 'TCP:80',
    ...more,
  }) as unknown as LoadBalancer;
const listener = (loadBalancerPort: number, instancePort: number, instanceProtocol = 'TCP') => ({
  loadBalancerPort,
  instancePort,
  instanceProtocol,
});
const PORTS = [{ port: 80 }, { port: 81 }] as never;

describe('a health check', () => {
  test.each<[string, number[]]>([
    ['HTTP:80/', [80]],
    ['HTTPS:8443/x', [8443]],
    ['ssl:81', [81]],
    ['TCP:80', []],
    ['XHTTP:80', []],
    ['TCP', []],
  ])('%s, and listeners that speak no TCP, are connections without a line: %j', (healthCheckTarget, ports) => {
    const listeners = [listener(80, 80), listener(8080, 8080, 'HTTP')];

    expect([...portsFedPlainly(web({ healthCheckTarget, listeners }))]).toEqual([...ports, 8080]);
    expect([...portsFedPlainly(web({ healthCheckTarget }))]).toEqual(ports);
  });

  test.each<[string, number[]]>([
    ['HTTP:80/', [80]],
    ['SSL:81', [81]],
    ['tcp:80', []],
    ['HTTP:8078/healthz', []],
    ['TCP', []],
  ])('%s is wrong for a strict receiver, by the instance port: %j', (healthCheckTarget, ports) => {
    expect(checkHealthCheck(web({ healthCheckTarget }), PORTS)).toStrictEqual(
      ports.map(
        (port) =>
          `the health check ${healthCheckTarget} goes to instance port ${port} without a PROXY line, and every instance would be taken out of service.`,
      ),
    );
  });

  test.each([
    ['HTTP:8078/healthz', true],
    ['http:8078/healthz', true],
    ['HTTP:8078/healthz/x', false],
    ['XHTTP:8078/healthz', false],
    ['TCP', false],
  ])('%s asks for the receiver: %s', (healthCheckTarget, is) => {
    expect(asksForReceiver(web({ healthCheckTarget }))).toBe(is);
  });
});

describe('a listener', () => {
  test.each([
    ['SSL', 'the load balancer would write the PROXY line inside TLS, where no receiver looks for it'],
    [
      'HTTP',
      'the load balancer writes no PROXY line to HTTP instance ports, and a strict receiver would drop its connections',
    ],
  ])('that speaks %s to an instance port is refused, with why and what to do', (protocol, why) => {
    const found = checkInstanceProtocols(
      web({ listeners: [listener(443, 80, protocol), listener(80, 80), listener(9, 9, protocol)] }),
      PORTS,
    );

    expect(found.map(({ message }) => message)).toStrictEqual([
      `ERR_INSTANCE_PROTOCOL: listener 443 speaks ${protocol} to instance port 80: ${why}. Give it an instance port of its own, or instance protocol TCP; or name 80 in ExcludePorts.`,
    ]);
  });

  test.each([
    [[], ''],
    [[listener(80, 80, 'HTTP')], ' and is not excluded'],
  ])('is missing: %j', (listeners, besides) => {
    expect(checkPorts(web({ listeners }), []).map(({ message }) => message)).toStrictEqual([
      `ERR_NO_INSTANCE_PORTS: web has no listener that feeds an instance port over TCP${besides}. Add a TCP or SSL listener with instance protocol TCP.`,
    ]);
    expect(checkPorts(web({ listeners }), PORTS)).toStrictEqual([]);
  });
});

test.each([
  ['kubernetes.io/cluster/prod', 1],
  ['KubernetesCluster', 1],
  ['kubernetes.io/service-name', 1],
  ['my.kubernetes.io/cluster/', 0],
  ['Name', 0],
])('a tag %s is another controller’s: %d', (key, found) => {
  expect(
    checkController(
      web({
        tags: new Map([
          [key, 'x'],
          ['Name', 'y'],
        ]),
      }),
    ),
  ).toHaveLength(found);
});

test('of two tags of Kubernetes’ the first is told, with its value', () => {
  const tags = new Map([
    ['KubernetesCluster', 'prod'],
    ['kubernetes.io/service-name', 'web'],
  ]);

  expect(checkController(web({ tags })).map(({ message }) => message)).toStrictEqual([
    'ERR_OTHER_CONTROLLER: web has the tag KubernetesCluster=prod: Kubernetes owns it and would take our policy off again. Use its annotation service.beta.kubernetes.io/aws-load-balancer-proxy-protocol instead.',
  ]);
});

test('a PROXY policy of somebody else is refused where that was asked for, ours and others are not', () => {
  const policies = {
    byPort: new Map([
      [80, ['Other', 'theirs']],
      [81, ['proxyflip-proxy-protocol', 'Other']],
    ]),
    proxyPolicies: new Set(['theirs', 'proxyflip-proxy-protocol']),
  } as never;

  expect(checkForeign(policies, PORTS, 'Adopt')).toStrictEqual([]);
  expect(
    checkForeign(policies, [...(PORTS as never[]), { port: 82 } as never], 'Refuse').map(({ message }) => message),
  ).toStrictEqual([
    'ERR_FOREIGN_POLICY: instance port 80 has the PROXY policy theirs, which somebody else attached. Set ForeignPolicy to Adopt to keep it and count it as on; or have its owner take it off.',
  ]);
});

test('each instance that cannot be switched is told with why and what to do', () => {
  const unready = [
    { instanceId: 'i-1', why: 'untagged', detail: '' },
    { instanceId: 'i-2', why: 'offline', detail: 'ConnectionLost' },
    { instanceId: 'i-3', why: 'unmanaged', detail: '' },
  ] as const;
  const found = checkFleet(web(), { ready: [], unregistered: [], unready }, { key: 'role', value: 'chat' });

  expect(found.map(({ message }) => message)).toStrictEqual([
    'ERR_INSTANCE_UNTAGGED: i-1 is registered with web and has no tag role=chat, so the runbook would pass it over. Tag it, or deregister it.',
    'ERR_INSTANCE_OFFLINE: the Systems Manager agent of i-2 is ConnectionLost. Start the agent or the instance, or deregister it from web.',
    'ERR_INSTANCE_UNMANAGED: i-3 is registered with web and Systems Manager does not know it. Give it the agent and an instance profile with AmazonSSMManagedInstanceCore, or deregister it.',
  ]);
});

test('a load balancer without instances is refused, one with an instance is not', () => {
  expect(checkInstances(web()).map(({ message }) => message)).toStrictEqual([
    'ERR_NO_INSTANCES: no instance is registered with web, so nobody could be asked whether the policy arrived. Register the fleet first; or set EmptyFleet to Allow.',
  ]);
  expect(checkInstances(web({ instanceIds: ['i-1'] }))).toStrictEqual([]);
});

test('a neighbour that sends plain connections to our instance ports is refused, one with policies on all is not', () => {
  const neighbour = (loadBalancerName: string, ...on: number[]) => ({
    loadBalancerName,
    instanceIds: ['i-1', 'i-2'],
    ports: [80, 81, 82],
    policies: {
      byPort: new Map(on.map((port) => [port, ['theirs']])),
      proxyPolicies: new Set(['theirs']),
      ownExists: false,
    },
  });

  expect(
    checkNeighbours([neighbour('blue', 81), neighbour('green', 80, 81, 82)]).map(({ message }) => message),
  ).toStrictEqual([
    'ERR_INSTANCE_SHARED: load balancer blue sends plain connections to instance port 80, 82 of i-1, i-2, and strict receivers would drop them. Deregister the instances there, use other instance ports, or set FinalMode to both.',
  ]);
});

describe('instances that join later are warned of', () => {
  const warning = (why: string, way: string) =>
    `The health check TCP:80 of web does not ask /healthz, and ${why}: an instance that joins the fleet later may get connections before its receiver is ready. Point the health check at HTTP:8078/healthz, or ${way}.`;
  const hook = (whose: string) =>
    `give ${whose} a lifecycle hook for autoscaling:EC2_INSTANCE_LAUNCHING that is completed when /healthz answers on the instance`;
  test.each([
    {
      desc: 'whose groups are not known',
      groups: { unknown: 'AccessDenied' },
      is: [
        warning('whether its Auto Scaling group has a lifecycle hook is not known (AccessDenied)', hook('the group')),
      ],
    },
    {
      desc: 'that no group launches',
      groups: [],
      is: [warning('no Auto Scaling group with a lifecycle hook launches its instances', 'launch them by one')],
    },
    {
      desc: 'of a group without a hook, beside one with one',
      groups: [
        { name: 'blue', hasLaunchHook: false },
        { name: 'green', hasLaunchHook: true },
      ],
      is: [warning('Auto Scaling group blue has no lifecycle hook for launching', hook('it'))],
    },
  ])('$desc', ({ groups, is }) => {
    expect(warnOfNewcomers(web(), '8078', groups)).toStrictEqual(is);
  });
});

describe('what was found', () => {
  const [one, two] = [new GateError('ERR_ONE', 'one.'), new GateError('ERR_TWO', 'two.')];

  test('is nothing, one, or a list with each code', () => {
    expect(() => refuse([])).not.toThrow();
    expect(() => refuse([one])).toThrow(one);
    expect(() => refuse([one, two])).toThrow(
      'ERR_REFUSED: 2 things stand in the way, and nothing was changed.\n- ERR_ONE: one.\n- ERR_TWO: two.',
    );
  });
});
