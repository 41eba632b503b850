/** What stands in the way, in the words that a person gets. */
import { describe, expect, test } from '@jest/globals';
import type { LoadBalancer } from '../../../functions/load-balancer/classic-elb.ts';
import {
  asksForReceiver,
  checkController,
  checkForeign,
  checkHealthCheck,
  checkInstanceProtocols,
  checkPorts,
  GateError,
  portsFedPlainly,
  refuse,
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
  test.each<[string | undefined, number[]]>([
    ['HTTP:80/', [80]],
    ['HTTPS:8443/x', [8443]],
    ['ssl:81', [81]],
    ['TCP:80', []],
    ['XHTTP:80', []],
    [undefined, []],
  ])('%s, and listeners that speak no TCP, are connections without a line: %j', (healthCheckTarget, ports) => {
    const listeners = [listener(80, 80), listener(8080, 8080, 'HTTP')];

    expect([...portsFedPlainly(web({ healthCheckTarget, listeners }))]).toEqual([...ports, 8080]);
    expect([...portsFedPlainly(web({ healthCheckTarget }))]).toEqual(ports);
  });

  test.each([
    ['HTTP:80/', 1],
    ['SSL:81', 1],
    ['tcp:80', 0],
    ['HTTP:8078/healthz', 0],
    [undefined, 0],
  ])('%s is wrong for a strict receiver: %d', (healthCheckTarget, wrong) => {
    expect(checkHealthCheck(web({ healthCheckTarget }), PORTS)).toHaveLength(wrong);
  });

  test.each([
    ['HTTP:8078/healthz', true],
    ['http:8078/healthz', true],
    ['HTTP:8078/healthz/x', false],
    ['XHTTP:8078/healthz', false],
    [undefined, false],
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

    expect(found.map(({ message }) => message)).toEqual([
      `ERR_INSTANCE_PROTOCOL: listener 443 speaks ${protocol} to instance port 80: ${why}. Give it an instance port of its own, or instance protocol TCP; or name 80 in ExcludePorts.`,
    ]);
  });

  test.each([
    [[], 'web has no listener that feeds an instance port over TCP. Add'],
    [[listener(80, 80, 'HTTP')], 'web has no listener that feeds an instance port over TCP and is not excluded. Add'],
  ])('is missing: %j', (listeners, words) => {
    expect(checkPorts(web({ listeners }), [])[0]?.message).toContain(words);
    expect(checkPorts(web({ listeners }), PORTS)).toEqual([]);
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

  expect(checkController(web({ tags })).map(({ message }) => message)).toEqual([
    expect.stringContaining('web has the tag KubernetesCluster=prod: Kubernetes owns it'),
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

  expect(checkForeign(policies, PORTS, 'Adopt')).toEqual([]);
  expect(
    checkForeign(policies, [...(PORTS as never[]), { port: 82 } as never], 'Refuse').map(({ message }) => message),
  ).toEqual([
    'ERR_FOREIGN_POLICY: instance port 80 has the PROXY policy theirs, which somebody else attached. Set ForeignPolicy to Adopt to keep it and count it as on; or have its owner take it off.',
  ]);
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
