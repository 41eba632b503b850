import { describe, expect, test } from '@jest/globals';
import {
  checkedServers,
  haproxyConfig,
  instancesOf,
  kindOf,
  tcpInstancePortsOf,
} from '../../../../rehearsal/elb/data-plane/haproxy-config.ts';
import type { Configuration } from '../../../../rehearsal/elb/data-plane.ts';
import { serverState } from '../../../../rehearsal/nodes/server-state.ts';

const configuration: Configuration = {
  loadBalancerName: 'web',
  securityGroupIds: [],
  listeners: [
    { loadBalancerPort: 80, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 80 },
    { loadBalancerPort: 8080, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 80 },
  ],
  instances: [
    { instanceId: 'i-1', privateIpAddress: '10.0.1.11', availabilityZone: 'a' },
    { instanceId: 'i-2', privateIpAddress: '10.0.2.11', availabilityZone: 'b' },
  ],
  healthCheck: {
    target: 'HTTP:8078/healthz',
    intervalSeconds: 10,
    timeoutSeconds: 5,
    unhealthyThreshold: 2,
    healthyThreshold: 3,
  },
  idleTimeoutSeconds: 4000,
  drainingSeconds: undefined,
  isCrossZone: false,
  proxyPorts: [],
};

test('whatever listeners there are, a policy is by instance port, and TCP’s alone', () => {
  const listeners: Configuration['listeners'] = [
    { loadBalancerPort: 80, protocol: 'TCP', instanceProtocol: 'TCP', instancePort: 80 },
    { loadBalancerPort: 8080, protocol: 'HTTP', instanceProtocol: 'HTTP', instancePort: 80 },
    { loadBalancerPort: 443, protocol: 'SSL', instanceProtocol: 'SSL', instancePort: 81 },
    { loadBalancerPort: 8443, protocol: 'HTTPS', instanceProtocol: 'HTTPS', instancePort: 81 },
  ];
  expect(tcpInstancePortsOf({ ...configuration, listeners })).toEqual([80]);
  const lines = haproxyConfig({ ...configuration, listeners }, configuration.instances.slice(0, 1), {
    directory: '/run/elb',
  }).split('\n');
  expect(lines.filter((line) => /track /.test(line)).map((line) => line.replace(/.* track \S+/, ''))).toEqual([
    '',
    ' send-proxy',
    '',
    ' ssl verify none',
    ' ssl verify none',
  ]);
  const backends = lines.flatMap((line) =>
    line.startsWith('backend instance') ? [line.slice('backend '.length)] : [],
  );
  expect(backends.map(kindOf)).toEqual(['plain', 'proxy', 'plain', 'plain', 'plain']);
});

describe('the configuration', () => {
  const lines = haproxyConfig(configuration, configuration.instances, { directory: '/run/elb' }).split('\n');

  test('two listeners of one instance port share its backends', () => {
    expect(lines.filter((line) => line.startsWith('backend '))).toEqual([
      'backend health',
      'backend instance-80-plain',
      'backend instance-80-proxy',
    ]);
  });

  test('the PROXY line is sent by the servers of `proxy` alone, and by no server that is checked', () => {
    const sending = lines.filter((line) => line.includes('send-proxy'));
    expect(sending).toEqual([
      '  server i-1 10.0.1.11:80 track health/i-1 send-proxy',
      '  server i-2 10.0.2.11:80 track health/i-2 send-proxy',
    ]);
  });
});

test('without cross-zone a node has the instances of its zone, with it all', () => {
  const ids = (isCrossZone: boolean) =>
    instancesOf({ ...configuration, isCrossZone }, 'b').map((each) => each.instanceId);
  expect(ids(false)).toEqual(['i-2']);
  expect(ids(true)).toEqual(['i-1', 'i-2']);
});

describe('what a reload hands on', () => {
  // Fields 6 and 13: operational state (0 stopped, 2 running) and the check's counter.
  const cases: readonly [string, { isUp: boolean; count: number } | undefined, [string, string]][] = [
    ['an instance that is not known is down, with no success yet', undefined, ['0', '0']],
    ['successes in a row are kept', { isUp: false, count: 2 }, ['0', '2']],
    ['up stays up', { isUp: true, count: 4 }, ['2', '4']],
    ['a failure in a row is kept', { isUp: true, count: 3 }, ['2', '3']],
    ['a counter from higher thresholds is cut to the new ones', { isUp: true, count: 11 }, ['2', '4']],
    ['down cannot come up by lower thresholds alone', { isUp: false, count: 9 }, ['0', '2']],
  ];
  test.each(cases)('%s', (_desc, known, expected) => {
    const health = new Map(known === undefined ? [] : [['i-1', known]]);
    const text = serverState(checkedServers(configuration.instances.slice(0, 1), configuration.healthCheck, health));
    const fields = text.trim().split('\n').at(-1)?.split(' ') ?? [];
    expect(fields).toHaveLength(25);
    expect([fields[5], fields[12]]).toEqual(expected);
  });
});
