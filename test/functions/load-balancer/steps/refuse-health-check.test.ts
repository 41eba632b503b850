/** A health check that does not fit: always an error, and the way out as far as it is open, in a person's words. */
import { describe, expect, test } from '@jest/globals';
import { stage } from './stage.ts';

const ASKED = {
  includePorts: '',
  excludePorts: '',
  healthPort: '8078',
  subnetCidrs: ['10.0.101.0/24'],
  securityGroups: [] as object[],
  commandId: 'status',
};
const REFUSED =
  'ERR_HEALTH_CHECK: the health check HTTP:80/ goes to instance port 80 without a PROXY line, and every instance would be taken out of service.';
const THEN = ' Then run again, for the command that moves the check.';
const READY = { mode: 'plain', ready: true };

const group = (GroupId: string, port: number) => ({
  GroupId,
  IpPermissions: [{ IpProtocol: 'tcp', FromPort: port, ToPort: port, UserIdGroupPairs: [{ GroupId: 'sg-web' }] }],
});

describe('the way out', () => {
  const receivers = (ids: string) =>
    `First let the receivers answer on port 8078, which those of ${ids} do not: run with FinalMode both, which installs them and needs no other check.`;
  const letIn = (who: string, id: string) =>
    `First let the load balancer reach port 8078 of the instances, which ${who} does not: aws ec2 authorize-security-group-ingress --group-id ${id} --protocol tcp --port 8078 --source-group sg-web.`;

  test.each<{ desc: string; answers?: Record<string, object>; groups: object[]; says: string }>([
    {
      desc: 'is open',
      answers: { 'i-1': READY, 'i-2': READY },
      groups: [group('sg-fleet', 8078)],
      says: 'The receivers answer on port 8078 (seen on all 2 instances), and security group sg-fleet lets the load balancer in there (by its rules; network ACLs were not looked at): aws elb configure-health-check --load-balancer-name web --health-check Target=HTTP:8078/healthz,Interval=10,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=2. Then run again.',
    },
    {
      desc: 'is open by one group of two',
      answers: { 'i-1': READY, 'i-2': READY },
      groups: [group('sg-fleet', 80), group('sg-health', 8078)],
      says: 'The receivers answer on port 8078 (seen on all 2 instances), and security group sg-fleet, sg-health lets the load balancer in there (by its rules; network ACLs were not looked at): aws elb configure-health-check --load-balancer-name web --health-check Target=HTTP:8078/healthz,Interval=10,Timeout=5,UnhealthyThreshold=2,HealthyThreshold=2. Then run again.',
    },
    {
      desc: 'wants the port let in',
      answers: { 'i-1': READY, 'i-2': READY },
      groups: [group('sg-fleet', 80)],
      says: `${letIn('security group sg-fleet', 'sg-fleet')}${THEN}`,
    },
    {
      desc: 'wants the port let in by a group that nobody knows',
      answers: { 'i-1': READY, 'i-2': READY },
      groups: [],
      says: `${letIn('no security group that is known', 'INSTANCES_GROUP')}${THEN}`,
    },
    {
      desc: 'wants one receiver that is not ready, and one that gave no answer',
      answers: { 'i-1': { mode: 'plain', ready: false }, 'i-2': { status: 'Failed', output: 'no json' } },
      groups: [group('sg-fleet', 8078)],
      says: `${receivers('i-1, i-2')}${THEN}`,
    },
    {
      desc: 'wants one receiver that was not asked',
      answers: { 'i-1': READY },
      groups: [group('sg-fleet', 8078)],
      says: `${receivers('i-2')}${THEN}`,
    },
    {
      desc: 'wants both, of a command that could not even be sent',
      groups: [group('sg-fleet', 80)],
      says: `${receivers('i-1, i-2')} ${letIn('security group sg-fleet', 'sg-fleet')}${THEN}`,
    },
  ])('$desc', async ({ answers, groups, says }) => {
    const { aws, ask, changes } = stage({ healthCheckTarget: 'HTTP:80/' });
    if (answers !== undefined) aws.answer('status', answers);

    await expect(
      ask('RefuseHealthCheck', { ...ASKED, commandId: answers === undefined ? '' : 'status', securityGroups: groups }),
    ).rejects.toHaveProperty('message', `${REFUSED} ${says}`);
    expect(changes()).toEqual([]);
  });
});

test.each([
  ['TCP:80', {}],
  ['HTTP:80/', { includePorts: '81' }],
  ['HTTP:80/', { excludePorts: '80' }],
])('one that fits by now (%s, %j) is told too: somebody has moved it', async (healthCheckTarget, asked) => {
  const { ask } = stage({ healthCheckTarget });

  await expect(ask('RefuseHealthCheck', { ...ASKED, ...asked })).rejects.toMatchObject({
    code: 'ERR_HEALTH_CHECK',
    message: 'ERR_HEALTH_CHECK: the health check is being changed. Run again.',
  });
});

test('a port to be switched that no listener feeds any more is an error of its own', async () => {
  const { ask } = stage({ healthCheckTarget: 'HTTP:80/' });

  await expect(ask('RefuseHealthCheck', { ...ASKED, includePorts: '80 99' })).rejects.toThrow(
    'ERR_INSTANCE_PORT_NOT_FOUND',
  );
});
