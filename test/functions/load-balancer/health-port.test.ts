import { expect, test } from '@jest/globals';
import { letsIn, type SecurityGroup } from '../../../functions/load-balancer/health-port.ts';

const from = { groupIds: ['sg-web'], cidrs: ['10.0.101.0/24', '10.0.102.0/24'] };
const group = (rule: object): SecurityGroup => ({ GroupId: 'sg-fleet', IpPermissions: [rule] });
const peer = (GroupId: string) => ({ UserIdGroupPairs: [{ GroupId }] });
const ranges = (...cidrs: string[]) => ({ IpRanges: cidrs.map((CidrIp) => ({ CidrIp })) });
const port8078 = { IpProtocol: 'tcp', FromPort: 8078, ToPort: 8078 };

test.each([
  { desc: 'the load balancer’s group', groups: [group({ ...port8078, ...peer('sg-web') })], is: true },
  { desc: 'another group', groups: [group({ ...port8078, ...peer('sg-other') })], is: false },
  {
    desc: 'a range of ports',
    groups: [group({ IpProtocol: 'tcp', FromPort: 8000, ToPort: 9000, ...peer('sg-web') })],
    is: true,
  },
  {
    desc: 'a port below',
    groups: [group({ IpProtocol: 'tcp', FromPort: 80, ToPort: 8077, ...peer('sg-web') })],
    is: false,
  },
  {
    desc: 'a port above',
    groups: [group({ IpProtocol: 'tcp', FromPort: 8079, ToPort: 9000, ...peer('sg-web') })],
    is: false,
  },
  { desc: 'another protocol', groups: [group({ ...port8078, IpProtocol: 'udp', ...peer('sg-web') })], is: false },
  { desc: 'every protocol, which names no ports', groups: [group({ IpProtocol: '-1', ...peer('sg-web') })], is: true },
  { desc: 'everybody', groups: [group({ ...port8078, ...ranges('0.0.0.0/0') })], is: true },
  { desc: 'the network around both subnets', groups: [group({ ...port8078, ...ranges('10.0.0.0/16') })], is: true },
  { desc: 'one subnet of two', groups: [group({ ...port8078, ...ranges('10.0.101.0/24') })], is: false },
  {
    desc: 'each subnet by a rule of another group',
    groups: [group({ ...port8078, ...ranges('10.0.101.0/24') }), group({ ...port8078, ...ranges('10.0.102.0/24') })],
    is: true,
  },
  {
    desc: 'a part of a subnet',
    groups: [group({ ...port8078, ...ranges('10.0.101.0/25', '10.0.102.0/24') })],
    is: false,
  },
  { desc: 'a group that lets nobody in', groups: [{ GroupId: 'sg-fleet' }], is: false },
  { desc: 'no group at all', groups: [], is: false },
])('$desc lets the load balancer in: $is', ({ groups, is }) => {
  expect(letsIn(groups, 8078, from)).toBe(is);
});

test('without subnets nothing is covered by ranges', () => {
  expect(letsIn([group({ ...port8078, ...ranges('0.0.0.0/0') })], 8078, { groupIds: [], cidrs: [] })).toBe(false);
});
