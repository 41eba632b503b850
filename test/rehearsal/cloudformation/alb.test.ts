/** alb.yaml beside chat-fleet.yaml, on an account whose machines and network are only written down. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { packageTemplate } from '../../../deploy/packaged-template.ts';
import { ACCOUNT_ID, REGION } from '../../../rehearsal/world.ts';
import { readTemplates } from '../../cloudformation/template.ts';
import { BUCKET, type FleetAccount, startFleetAccount } from './fleet-account.ts';

const TEMPLATES = readTemplates();
const FLEET = 'chat';
const ALB = 'chat-alb';
const CERTIFICATE = `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`;

jest.setTimeout(60_000);

let account: FleetAccount;
beforeEach(async () => {
  account = await startFleetAccount();
});
afterEach(() => account.close());

const parameters = (values: Readonly<Record<string, string>>) =>
  Object.entries(values).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));

async function stack(verb: 'Create' | 'Update', StackName: string, Parameters: Readonly<Record<string, string>>) {
  const isFleet = StackName === FLEET;
  const place = { bucket: BUCKET, prefix: '', region: REGION };
  const templates = packageTemplate(
    isFleet ? 'chat-fleet' : 'alb',
    (name) => JSON.stringify(TEMPLATES[`${name}.yaml`]),
    place,
  );
  for (const { key, text } of templates) account.objects.set(`${BUCKET}/${key}`, Buffer.from(text));
  const { StackId } = (await account.call('cloudformation', `${verb}Stack`, {
    StackName,
    TemplateURL: templates.at(-1)?.url,
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: parameters({ CertificateArn: CERTIFICATE, ...(isFleet && { SwitchFromStack: 'No' }), ...Parameters }),
  })) as { StackId: string };
  const status = await account.cloudFormation.settled(StackId);
  const failed = account.cloudFormation
    .events(StackName)
    .filter(({ ResourceStatus }) => ResourceStatus.endsWith('_FAILED'))
    .map((event) => `${event.LogicalResourceId}: ${event.ResourceStatusReason}`);
  expect(failed).toEqual([]);
  return status;
}

async function outputs(StackName: string): Promise<Readonly<Record<string, string>>> {
  const { Stacks } = (await account.call('cloudformation', 'DescribeStacks', { StackName })) as {
    Stacks: [{ Outputs: { OutputKey: string; OutputValue: string }[] }];
  };
  return Object.fromEntries(Stacks[0].Outputs.map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]));
}

async function deleteStack(StackName: string): Promise<string> {
  const stackId = account.cloudFormation.events(StackName)[0]?.StackId ?? '';
  await account.call('cloudformation', 'DeleteStack', { StackName });
  return account.cloudFormation.settled(stackId);
}

/** The fleet, and the load balancer beside it as docs/alb.md says. */
async function beside(more: Readonly<Record<string, string>> = {}) {
  await stack('Create', FLEET, {});
  const { VpcId = '', InstanceSecurityGroupId = '', PublicRouteTableId = '' } = await outputs(FLEET);
  const given = { VpcId, InstanceSecurityGroupId, RouteTableId: PublicRouteTableId, ...more };
  expect(await stack('Create', ALB, given)).toBe('CREATE_COMPLETE');
  return { given, outputs: await outputs(ALB) };
}

const alb = () => [...account.albs.configurations.values()][0];
const instanceIds = () => [...account.world.instances.keys()].sort();
const targetIds = () => (alb()?.targetGroups[0]?.targets ?? []).map(({ instanceId }) => instanceId).sort();

describe('alb.yaml', () => {
  test('is made: https to the port that is https to the application, a redirect, checks by the plain health port', async () => {
    await beside();

    expect([...(alb()?.listeners ?? [])].sort((left, right) => left.port - right.port)).toMatchObject([
      {
        port: 80,
        protocol: 'HTTP',
        rules: [{ action: { type: 'redirect', protocol: 'HTTPS', port: '443', statusCode: 301 } }],
      },
      { port: 443, protocol: 'HTTPS', rules: [{ conditions: [], action: { type: 'forward' } }] },
    ]);
    expect(alb()).toMatchObject({
      targetGroups: [
        {
          protocol: 'HTTP',
          targets: [],
          healthCheck: { protocol: 'HTTP', port: 8078, path: '/healthz', codes: '200' },
          stickinessSeconds: undefined,
          drainingSeconds: 300,
        },
      ],
      idleTimeoutSeconds: 60,
      forwardedFor: 'append',
    });
  });

  test('is in subnets of its own, which the receivers can be told', async () => {
    const { outputs: made } = await beside();
    const cidrs = [...account.world.subnets.values()].map(({ cidrBlock }) => cidrBlock);
    expect(made.AlbCidrs).toBe('10.0.111.0/24 10.0.112.0/24');
    expect(cidrs).toHaveLength(6);
    expect(cidrs).toEqual(expect.arrayContaining((made.AlbCidrs ?? '').split(' ')));
  });

  test('lets clients in and nothing out but to the instances, and the instances let it in at two ports', async () => {
    const { given } = await beside();
    const groups = [...account.world.securityGroups.values()];
    const own = groups.find(({ description }) => description.includes('Application Load Balancer'));
    const fleet = groups.find(({ groupId }) => groupId === given.InstanceSecurityGroupId);
    const rules = (list: (typeof groups)[number]['ingress'] | undefined) =>
      list?.map(({ ports, peer }) => [ports?.join('-'), 'cidr' in peer ? peer.cidr : peer.groupId]);

    expect(rules(own?.ingress)).toEqual([
      ['80-80', '0.0.0.0/0'],
      ['443-443', '0.0.0.0/0'],
    ]);
    expect(rules(own?.egress)).toEqual([
      ['81-81', given.InstanceSecurityGroupId],
      ['8078-8078', given.InstanceSecurityGroupId],
    ]);
    expect(rules(fleet?.ingress)).toEqual(
      expect.arrayContaining([
        ['81-81', own?.groupId],
        ['8078-8078', own?.groupId],
      ]),
    );
    expect(alb()?.securityGroupIds).toEqual([own?.groupId]);
  });

  test('has alarms on its own metrics, by the names that CloudWatch knows it and its target group by', async () => {
    const { outputs: made } = await beside({ AlarmMailAddress: 'ops@example.com' });
    const { MetricAlarms } = (await account.call('monitoring', 'DescribeAlarms')) as {
      MetricAlarms: {
        Namespace: string;
        MetricName: string;
        Dimensions: { Name: string; Value: string }[];
        AlarmActions: string[];
      }[];
    };
    const own = MetricAlarms.filter(({ Namespace }) => Namespace === 'AWS/ApplicationELB');
    expect(own.map(({ MetricName }) => MetricName).sort()).toEqual([
      'HTTPCode_ELB_5XX_Count',
      'HTTPCode_Target_5XX_Count',
      'RejectedConnectionCount',
      'TargetConnectionErrorCount',
      'UnHealthyHostCount',
    ]);
    expect(made.LoadBalancerFullName).toMatch(/^app\/[^/]+\/[0-9a-f]{16}$/);
    for (const { Dimensions, AlarmActions } of own) {
      expect(Dimensions).toContainEqual({ Name: 'LoadBalancer', Value: made.LoadBalancerFullName });
      expect(AlarmActions).toEqual([made.AlarmTopicArn]);
    }
    expect(own.flatMap(({ Dimensions }) => Dimensions).find(({ Name }) => Name === 'TargetGroup')?.Value).toMatch(
      /^targetgroup\/[^/]+\/[0-9a-f]{16}$/,
    );
  });

  test('changes in place: stickiness, times, security groups', async () => {
    const { given } = await beside();
    const arn = alb()?.loadBalancerArn;
    const wanted = { Stickiness: 'On', StickinessSeconds: '600', IdleTimeoutSeconds: '120', DrainingSeconds: '5' };
    expect(await stack('Update', ALB, { ...given, ...wanted })).toBe('UPDATE_COMPLETE');
    expect(alb()).toMatchObject({
      loadBalancerArn: arn,
      idleTimeoutSeconds: 120,
      targetGroups: [{ stickinessSeconds: 600, drainingSeconds: 5 }],
    });
  });

  test('takes subnets that are there; without them it wants routes', async () => {
    await stack('Create', FLEET, {});
    const { VpcId = '', InstanceSecurityGroupId = '' } = await outputs(FLEET);
    const given = { VpcId, InstanceSecurityGroupId };
    await expect(stack('Create', ALB, given)).rejects.toThrow('Without SubnetIds, RouteTableId must be given.');
    const ids = [...account.world.subnets.values()].filter(({ cidrBlock }) => /^10\.0\.[12]\./.test(cidrBlock));
    const SubnetIds = ids.map(({ subnetId }) => subnetId).join(',');
    expect(await stack('Create', ALB, { ...given, SubnetIds })).toBe('CREATE_COMPLETE');
    expect(account.world.subnets.size).toBe(4);
    expect((await outputs(ALB)).AlbCidrs).toBeUndefined();
  });
});

describe('chat-fleet.yaml with it', () => {
  test('an update gives the group the target group, and no instance is replaced; another takes it away', async () => {
    const { outputs: made } = await beside();
    const before = instanceIds();
    const given = { TargetGroupArns: made.TargetGroupArn ?? '', AlbCidrs: made.AlbCidrs ?? '' };

    expect(await stack('Update', FLEET, given)).toBe('UPDATE_COMPLETE');
    expect([instanceIds(), targetIds()]).toEqual([before, before]);

    // One that comes later is in both.
    expect(await stack('Update', FLEET, { ...given, MinInstances: '3' })).toBe('UPDATE_COMPLETE');
    expect(targetIds()).toEqual(instanceIds());
    expect([...account.loadBalancers.values()][0]?.instances).toHaveLength(3);

    expect(await stack('Update', FLEET, { MinInstances: '3', TargetGroupArns: '', AlbCidrs: '' })).toBe(
      'UPDATE_COMPLETE',
    );
    expect([targetIds(), instanceIds().length]).toEqual([[], 3]);
  });

  test('both are deleted to the last security group, the load balancer first', async () => {
    const { outputs: made } = await beside();
    await stack('Update', FLEET, { TargetGroupArns: made.TargetGroupArn ?? '' });
    await stack('Update', FLEET, { TargetGroupArns: '' });

    expect(await deleteStack(ALB)).toBe('DELETE_COMPLETE');
    expect(await deleteStack(FLEET)).toBe('DELETE_COMPLETE');
    const { subnets, securityGroups, networkInterfaces, instances } = account.world;
    expect([subnets, securityGroups, networkInterfaces, instances].map(({ size }) => size)).toEqual([0, 0, 0, 0]);
    expect(account.albs.configurations.size).toBe(0);
  });
});

describe('types of an Application Load Balancer', () => {
  const STACK = 'types';
  const subnet = (index: number) => ({
    Type: 'AWS::EC2::Subnet',
    Properties: { VpcId: { Ref: 'Vpc' }, CidrBlock: `10.0.${index}.0/24`, AvailabilityZone: `${REGION}${'ab'[index]}` },
  });
  const fixed = (StatusCode: string) => [{ Type: 'fixed-response', FixedResponseConfig: { StatusCode } }];
  const template = (rule: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
    Resources: {
      Vpc: { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } },
      A: subnet(0),
      B: subnet(1),
      Alb: {
        Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer',
        Properties: { Subnets: [{ Ref: 'A' }, { Ref: 'B' }], ...more },
      },
      Listener: {
        Type: 'AWS::ElasticLoadBalancingV2::Listener',
        Properties: { LoadBalancerArn: { Ref: 'Alb' }, Port: '80', Protocol: 'HTTP', DefaultActions: fixed('404') },
      },
      Rule: {
        Type: 'AWS::ElasticLoadBalancingV2::ListenerRule',
        Properties: {
          ListenerArn: { Ref: 'Listener' },
          Priority: 10,
          Conditions: [{ Field: 'path-pattern', Values: ['/a'] }],
          Actions: fixed('503'),
          ...rule,
        },
      },
    },
    Outputs: { Rule: { Value: { Ref: 'Rule' } } },
  });
  async function run(verb: 'Create' | 'Update', body: object): Promise<string> {
    const { StackId } = (await account.call('cloudformation', `${verb}Stack`, {
      StackName: STACK,
      TemplateBody: JSON.stringify(body),
    })) as { StackId: string };
    return account.cloudFormation.settled(StackId);
  }
  const rules = () =>
    alb()?.listeners[0]?.rules.map(({ conditions, action }) => [
      conditions[0]?.values[0],
      action.type === 'fixed-response' ? action.statusCode : action.type,
    ]);

  test('a rule changes in place, its priority too, and goes with its listener', async () => {
    expect(await run('Create', template({}))).toBe('CREATE_COMPLETE');
    const { Rule } = await outputs(STACK);
    expect(rules()).toEqual([
      ['/a', 503],
      [undefined, 404],
    ]);

    const changed = { Priority: 20, Conditions: [{ Field: 'path-pattern', Values: ['/b'] }], Actions: fixed('500') };
    expect(await run('Update', template(changed))).toBe('UPDATE_COMPLETE');
    expect((await outputs(STACK)).Rule).toBe(Rule);
    expect(rules()?.[0]).toEqual(['/b', 500]);

    expect(await deleteStack(STACK)).toBe('DELETE_COMPLETE');
    expect(account.albs.configurations.size).toBe(0);
  });

  test('an attribute that cannot be set takes the load balancer back', async () => {
    const wanted = { LoadBalancerAttributes: [{ Key: 'access_logs.s3.enabled', Value: true }] };
    expect(await run('Create', template({}, wanted))).toBe('ROLLBACK_COMPLETE');
    expect(account.albs.configurations.size).toBe(0);
  });
});
