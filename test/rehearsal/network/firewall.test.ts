import { describe, expect, test } from '@jest/globals';
import { firewallRules } from '../../../rehearsal/network/firewall.ts';
import type { SecurityGroup, SecurityGroupRule } from '../../../rehearsal/world.ts';

const tcp = (ports: readonly [number, number], peer: SecurityGroupRule['peer']): SecurityGroupRule => ({
  protocol: 'tcp',
  ports,
  peer,
  description: undefined,
});

const group = (groupId: string, ...ingress: SecurityGroupRule[]): [string, SecurityGroup] => [
  groupId,
  { groupId, groupName: groupId, description: '', vpcId: 'vpc-1', tags: {}, ingress, egress: [] },
];

const groups = new Map([
  group('sg-nodes', tcp([443, 443], { cidr: '0.0.0.0/0' }), tcp([80, 80], { cidr: '198.51.100.0/24' })),
  group('sg-fleet', tcp([80, 81], { groupId: 'sg-nodes' })),
  group('sg-shut'),
  group('sg-lonely', tcp([22, 22], { groupId: 'sg-nobody' })),
  group('sg-open', { protocol: '-1', ports: undefined, peer: { cidr: '10.0.0.0/16' }, description: undefined }),
  group('sg-udp', { ...tcp([53, 53], { cidr: '10.0.0.0/16' }), protocol: 'udp' }),
]);

/** Of the chain that decides about one host. */
const chain = (hosts: Parameters<typeof firewallRules>[0], address: string): string[] => {
  const [, body = ''] =
    new RegExp(`chain to_${address.replaceAll('.', '_')} \\{([^}]*(?:\\{[^}]*\\}[^}]*)*)\\n {2}\\}`).exec(
      firewallRules(hosts, groups),
    ) ?? [];
  return body
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
};
const host = (address: string, ...groupIds: string[]) => ({ address, groupIds });
const nodes = [host('10.0.101.21', 'sg-nodes'), host('10.0.102.21', 'sg-nodes')];

describe('security groups become rules', () => {
  const cases: readonly [desc: string, groupIds: string[], expected: string[]][] = [
    [
      'of another group: its hosts',
      ['sg-fleet'],
      ['ip saddr { 10.0.101.21, 10.0.102.21 } tcp dport 80-81 accept', 'drop'],
    ],
    [
      'of a network; of everybody, which is no condition',
      ['sg-nodes'],
      ['tcp dport 443-443 accept', 'ip saddr { 198.51.100.0/24 } tcp dport 80-80 accept', 'drop'],
    ],
    ['without a rule nobody comes in', ['sg-shut'], ['drop']],
    ['a group that no host has lets nobody in', ['sg-lonely'], ['drop']],
    ['every protocol is TCP, too', ['sg-open'], ['ip saddr { 10.0.0.0/16 } accept', 'drop']],
    ['what is about UDP says nothing about TCP', ['sg-udp'], ['drop']],
    [
      'of several groups any one is enough',
      ['sg-fleet', 'sg-open'],
      ['ip saddr { 10.0.101.21, 10.0.102.21 } tcp dport 80-81 accept', 'ip saddr { 10.0.0.0/16 } accept', 'drop'],
    ],
  ];
  test.each(cases)('%s', (_, groupIds, expected) => {
    const address = '10.0.1.4';
    const own = host(address, ...groupIds);
    const all = groupIds.includes('sg-nodes') ? [own] : [...nodes, own];
    expect(chain(all, address)).toEqual(expected);
  });

  test('a host without a group is not guarded, and without any there are no rules', () => {
    expect(firewallRules([...nodes, host('10.0.1.5')], groups)).not.toContain('10.0.1.5');
    expect(firewallRules([host('10.0.1.5')], groups)).toBe('');
  });

  test('only the first packet of a connection is decided about', () => {
    expect(firewallRules(nodes, groups)).toContain('tcp flags & (syn | ack) == syn ip daddr vmap {');
  });
});
