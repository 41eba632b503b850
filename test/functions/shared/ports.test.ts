import { describe, expect, test } from '@jest/globals';
import {
  describeListener,
  formatInstancePorts,
  parseInstancePorts,
  parsePortList,
  switchedPorts,
  tcpListeners,
} from '../../../functions/shared/ports.ts';
import { type FakeListener, listener, tcp } from '../fake-aws.ts';

const all = { include: [], exclude: [] };
const ports = (listeners: readonly FakeListener[], choice = {}) =>
  formatInstancePorts(switchedPorts(listeners.map(describeListener), { ...all, ...choice }));

describe('switchedPorts', () => {
  test.each([
    { desc: 'plain TCP alone redirects', listeners: [tcp(80, 8080)], is: '8080=http' },
    { desc: 'SSL alone is https', listeners: [listener('SSL', 443, 'TCP', 81)], is: '81=https' },
    {
      desc: 'a port that both feed is neither',
      listeners: [tcp(80, 80), listener('SSL', 443, 'TCP', 80)],
      is: '80=mixed',
    },
    { desc: 'two listeners on one port give one port', listeners: [tcp(80, 80), tcp(8080, 80)], is: '80=http' },
    { desc: 'ports come sorted', listeners: [tcp(2, 9000), tcp(1, 80)], is: '80=http 9000=http' },
    {
      desc: 'an HTTP listener alone is passed over',
      listeners: [tcp(80, 80), listener('HTTP', 8081, 'HTTP', 8081)],
      is: '80=http',
    },
    {
      desc: 'HTTP beside TCP stays in, for the gate to refuse',
      listeners: [tcp(80, 80), listener('HTTP', 81, 'HTTP', 80)],
      is: '80=http',
    },
    { desc: 'no listener, no port', listeners: [], is: '' },
  ])('$desc', ({ listeners, is }) => {
    expect(ports(listeners)).toBe(is);
  });

  const three = [tcp(80, 80), listener('SSL', 443, 'TCP', 81), tcp(22, 22)];
  test.each([
    { desc: 'exclude takes out', choice: { exclude: [22] }, is: '80=http 81=https' },
    { desc: 'include leaves only', choice: { include: [81] }, is: '81=https' },
    { desc: 'exclude wins over include', choice: { include: [22, 80], exclude: [22] }, is: '80=http' },
    { desc: 'excluding what is not there is fine', choice: { exclude: [1] }, is: '22=http 80=http 81=https' },
  ])('$desc', ({ choice, is }) => {
    expect(ports(three, choice)).toBe(is);
  });

  test('including a port that no listener feeds is refused by name', () => {
    expect(() => ports(three, { include: [8443] })).toThrow(
      'ERR_INSTANCE_PORT_NOT_FOUND: no listener feeds instance port 8443, which IncludePorts names. The listeners feed 80, 81, 22. Correct IncludePorts, or add the listener first.',
    );
    expect(() => ports([], { include: [8443] })).toThrow('The listeners feed none.');
  });
});

test('a listener is described in upper case; without an instance protocol it speaks its own', () => {
  const given = { LoadBalancerPort: 443, Protocol: 'ssl', InstancePort: 81 };

  expect(describeListener({ ...given, InstanceProtocol: 'tcp' })).toEqual({
    loadBalancerPort: 443,
    protocol: 'SSL',
    instancePort: 81,
    instanceProtocol: 'TCP',
  });
  expect(describeListener({ ...given, InstanceProtocol: undefined })).toMatchObject({ instanceProtocol: 'SSL' });
});

test('probes go in by listeners that speak TCP to the instance', () => {
  const listeners = [tcp(80, 80), listener('SSL', 443, 'TCP', 81), listener('SSL', 444, 'SSL', 81), tcp(22, 22)].map(
    describeListener,
  );
  expect(tcpListeners(listeners, [80, 81]).map((each) => [each.loadBalancerPort, each.protocol])).toEqual([
    [80, 'TCP'],
    [443, 'SSL'],
  ]);
});

test('instance ports survive being written and read', () => {
  expect(formatInstancePorts(parseInstancePorts('80=http 81=https 82=mixed'))).toBe('80=http 81=https 82=mixed');
  expect(parseInstancePorts('')).toEqual([]);
  // Of a scheme that is not known the application is told none.
  expect(parseInstancePorts('80=ftp 81')).toEqual([
    { port: 80, scheme: 'mixed' },
    { port: 81, scheme: 'mixed' },
  ]);
});

describe('parsePortList', () => {
  test.each([
    ['', []],
    ['22', [22]],
    [' 80, 443 8080,', [80, 443, 8080]],
    ['1,65535', [1, 65535]],
  ])('%j', (text, is) => {
    expect(parsePortList('ExcludePorts', text)).toEqual(is);
  });
  test.each(['0', '65536', '80-90', '080000', 'ssh'])('%j is refused with the parameter’s name', (text) => {
    expect(() => parsePortList('ExcludePorts', `22, ${text}`)).toThrow(
      `ERR_INVALID_PORT_LIST: ExcludePorts is "22, ${text}": "${text}" is not a port. Write ports from 1 to 65535, separated by commas.`,
    );
  });
});
