/** The whole example and what it is made of, on an account whose machines and network are only written down. */
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { SSMClient } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { causes } from '../../../deploy/events.ts';
import { followStack } from '../../../deploy/follow.ts';
import { packageTemplate } from '../../../deploy/packaged-template.ts';
import { ACCOUNT_ID, REGION } from '../../../rehearsal/world.ts';
import { readTemplates } from '../../cloudformation/template.ts';
import { clientSettings } from '../clients.ts';
import { BUCKET, type FleetAccount, startFleetAccount } from './fleet-account.ts';

const STACK = 'chat';
/** As the build assembles them. */
const TEMPLATES = readTemplates();

jest.setTimeout(30_000);

let account: FleetAccount;
beforeEach(async () => {
  account = await startFleetAccount();
});
afterEach(() => account.close());

/** As npm run package uploads it; the functions' archives are never run here. */
function upload(): string {
  const place = { bucket: BUCKET, prefix: '', region: REGION };
  const templates = packageTemplate('chat-fleet', (name) => JSON.stringify(TEMPLATES[`${name}.yaml`]), place);
  for (const { key, text } of templates) account.objects.set(`${BUCKET}/${key}`, Buffer.from(text));
  return templates.at(-1)?.url ?? '';
}

const parameters = (more: Record<string, string> = {}) =>
  Object.entries({
    CertificateArn: `arn:aws:acm:${REGION}:${ACCOUNT_ID}:certificate/chat`,
    SwitchFromStack: 'No',
    ...more,
  }).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));

async function create(more?: Record<string, string>): Promise<string> {
  const { StackId } = (await account.call('cloudformation', 'CreateStack', {
    StackName: STACK,
    TemplateURL: upload(),
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: parameters(more),
  })) as { StackId: string };
  return account.cloudFormation.settled(StackId);
}

const failures = () =>
  account.cloudFormation
    .events(STACK)
    .filter(({ ResourceStatus }) => ResourceStatus.endsWith('_FAILED'))
    .map((event) => `${event.LogicalResourceId}: ${event.ResourceStatusReason}`);

async function update(more: Record<string, string>): Promise<string> {
  await account.call('cloudformation', 'UpdateStack', {
    StackName: STACK,
    UsePreviousTemplate: true,
    Capabilities: ['CAPABILITY_IAM'],
    Parameters: parameters(more),
  });
  return account.cloudFormation.settled(STACK);
}

const loadBalancer = () => [...account.loadBalancers.values()][0];
const instances = () => [...account.world.instances.values()];
const updated = () =>
  account.cloudFormation
    .events(STACK)
    .filter(({ ResourceStatus }) => ResourceStatus === 'UPDATE_COMPLETE')
    .map(({ LogicalResourceId }) => LogicalResourceId);

describe('chat-fleet.yaml', () => {
  test('is made: a load balancer that asks the plain health port, and registered instances in both zones', async () => {
    const status = await create();

    expect(failures()).toEqual([]);
    expect(status).toBe('CREATE_COMPLETE');
    expect(loadBalancer()).toMatchObject({
      listeners: [
        { loadBalancerPort: 80, protocol: 'TCP', instancePort: 80 },
        { loadBalancerPort: 443, protocol: 'SSL', instancePort: 81 },
      ],
      healthCheck: { target: 'HTTP:8078/healthz' },
      idleTimeoutSeconds: 60,
      drainingSeconds: 300,
      isCrossZone: true,
      proxyPorts: [],
    });
    expect(loadBalancer()?.instances).toHaveLength(2);
    expect(
      instances()
        .map(({ availabilityZone }) => availabilityZone)
        .sort(),
    ).toEqual([`${REGION}a`, `${REGION}b`]);
    expect(instances().map(({ tags }) => tags['proxyflip-fleet'])).toEqual([STACK, STACK]);
    const { LoadBalancerDescriptions } = (await account.call('elasticloadbalancing', 'DescribeLoadBalancers')) as {
      LoadBalancerDescriptions: { ListenerDescriptions: { PolicyNames: string[] }[] }[];
    };
    expect(LoadBalancerDescriptions[0]?.ListenerDescriptions.map(({ PolicyNames }) => PolicyNames)).toEqual([
      [],
      ['tls-1-2'],
    ]);
  });

  test('lets nobody but the load balancer reach its instances, and only its instances reach the store', async () => {
    await create({ Cache: 'Valkey' });
    const groups = [...account.world.securityGroups.values()];
    const id = (word: string) => groups.find(({ description }) => description.includes(word))?.groupId;
    const lets = (word: string) =>
      groups
        .find(({ description }) => description.includes(word))
        ?.ingress.map(({ ports, peer }) => [ports, 'cidr' in peer ? peer.cidr : peer.groupId]);
    const [nodes, fleet] = [id('from clients'), id('from the load balancer alone')];

    expect(lets('from the load balancer alone')).toEqual([
      [[80, 81], nodes],
      [[8078, 8078], nodes],
    ]);
    expect(lets('from the instances alone')).toEqual([[[6379, 6379], fleet]]);
    expect(lets('from clients')).toEqual([
      [[80, 80], '0.0.0.0/0'],
      [[443, 443], '0.0.0.0/0'],
      [[80, 80], fleet],
      [[443, 443], fleet],
    ]);
    expect(account.launched[0]?.userData).toMatch(/^#!\/bin\/sh\n[\s\S]*CHAT_REDIS_URL=rediss:\/\/10\.0\.1\.\d+:6379/);
  });

  test('without a store an instance is told nothing at launch', async () => {
    await create();
    expect(account.launched.map(({ userData }) => userData)).toEqual(['', '']);
  });

  test('an update that asks for more instances changes the group, and nothing that serves is replaced', async () => {
    await create();
    const before = instances().map(({ instanceId }) => instanceId);

    expect(await update({ MinInstances: '3' })).toBe('UPDATE_COMPLETE');

    expect(instances()).toHaveLength(3);
    expect(instances().map(({ instanceId }) => instanceId)).toEqual(expect.arrayContaining(before));
    // Once for the resource, once for the stack.
    expect(updated()).toEqual(['Fleet', STACK]);
  });

  test('a setting of the switch is handed to the nested stack', async () => {
    await create();
    expect(await update({ IdleTimeoutSeconds: '120', FinalMode: 'both' })).toBe('UPDATE_COMPLETE');
    expect(loadBalancer()?.idleTimeoutSeconds).toBe(120);
    expect(updated().sort()).toEqual(['LoadBalancer', 'Switch', STACK].sort());
  });

  test('takes a network that is there, whole or not at all', async () => {
    const { Vpc } = (await account.call('ec2', 'CreateVpc', { CidrBlock: '10.0.0.0/16' })) as {
      Vpc: { VpcId: string };
    };
    const subnetIds: string[] = [];
    for (const [index, zone] of ['a', 'b', 'a', 'b'].entries()) {
      const { Subnet } = (await account.call('ec2', 'CreateSubnet', {
        VpcId: Vpc.VpcId,
        CidrBlock: `10.0.${index + 1}.0/24`,
        AvailabilityZone: `${REGION}${zone}`,
      })) as { Subnet: { SubnetId: string } };
      subnetIds.push(Subnet.SubnetId);
    }
    const given = { VpcId: Vpc.VpcId, LoadBalancerSubnetIds: subnetIds.slice(0, 2).join(',') };

    await expect(create(given)).rejects.toThrow('With VpcId, InstanceSubnetIds must be given.');
    expect(await create({ ...given, InstanceSubnetIds: subnetIds.slice(2).join(',') })).toBe('CREATE_COMPLETE');

    expect(account.world.subnets.size).toBe(4);
    expect(
      instances()
        .map(({ launch }) => launch?.subnetId)
        .sort(),
    ).toEqual(subnetIds.slice(2).sort());
  });

  test('is taken back, nested stacks and all, where its last part fails', async () => {
    const status = await create({ ArtifactBucket: 'another-bucket' });

    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(failures()[0]).toMatch(/^Switch: Embedded stack .* was not successfully created: .*LoadBalancerFunction/);
    expect(left()).toEqual(EMPTY);
    // As npm run deploy shows it: the cause stands in the nested stack alone.
    const said: string[] = [];
    const stackId = account.cloudFormation.events(STACK)[0]?.StackId ?? '';
    const deps = {
      cloudFormation: new CloudFormationClient(clientSettings(account.endpoint)),
      ssm: new SSMClient(clientSettings(account.endpoint)),
      clock: { now: () => 0, sleep: async () => {} },
      say: (line: string) => void said.push(line),
    };
    const { events } = await followStack(deps, stackId, new Set(), {});
    expect(said).toContainEqual(
      expect.stringMatching(/^CREATE_FAILED +AWS::Lambda::Function {2}chat-Switch.*\/LoadBalancerFunction {2}/),
    );
    expect(causes(events)).toContainEqual(expect.stringMatching(/^LoadBalancerFunction: /));
  });

  test('is deleted to the last security group', async () => {
    await create({ Cache: 'Valkey' });
    const { Stacks } = (await account.call('cloudformation', 'DescribeStacks', { StackName: STACK })) as {
      Stacks: [{ StackId: string }];
    };
    await account.call('cloudformation', 'DeleteStack', { StackName: STACK });

    expect(await account.cloudFormation.settled(Stacks[0].StackId)).toBe('DELETE_COMPLETE');
    expect(left()).toEqual(EMPTY);
    const { Stacks: others } = (await account.call('cloudformation', 'DescribeStacks')) as { Stacks: unknown[] };
    expect(others).toEqual([]);
  });
});

const EMPTY = { instances: 0, subnets: 0, interfaces: 0, securityGroups: 0, loadBalancers: 0 };
const left = () => ({
  instances: account.world.instances.size,
  subnets: account.world.subnets.size,
  interfaces: account.world.networkInterfaces.size,
  securityGroups: account.world.securityGroups.size,
  loadBalancers: account.loadBalancers.size,
});

describe('types of a fleet', () => {
  const make = async (Resources: Record<string, unknown>): Promise<string> => {
    const { StackId } = (await account.call('cloudformation', 'CreateStack', {
      StackName: STACK,
      TemplateBody: JSON.stringify({ Resources }),
    })) as { StackId: string };
    return account.cloudFormation.settled(StackId);
  };
  const vpc = { Type: 'AWS::EC2::VPC', Properties: { CidrBlock: '10.0.0.0/16' } };
  const group = (more: Record<string, unknown>) => ({
    Type: 'AWS::EC2::SecurityGroup',
    Properties: { GroupDescription: 'g', VpcId: { Ref: 'Vpc' }, ...more },
  });

  test.each([
    [
      'a property',
      { ...vpc, Properties: { ...vpc.Properties, InstanceTenancy: 'dedicated' } },
      /extraneous key \[InstanceTenancy\] is not permitted/,
    ],
    [
      'a member of a rule',
      group({ SecurityGroupIngress: [{ IpProtocol: 'tcp', CidrIpv6: '::/0' }] }),
      /extraneous key \[CidrIpv6\]/,
    ],
    ['a rule to nobody', group({ SecurityGroupIngress: [{ IpProtocol: '-1' }] }), /Missing source specification/],
  ])('%s that is not there fails by name', async (_, resource, expected) => {
    expect(await make({ Vpc: vpc, Other: resource })).toBe('ROLLBACK_COMPLETE');
    expect(failures()[0]).toMatch(expected);
  });

  test('a group tries again where a launch failed, and the stack waits for it', async () => {
    account.refuseLaunches = 'there is no capacity';
    const underWay = create();
    const limit = Date.now() + 10_000;
    const failed = async () => {
      const { Activities } = (await account.call('autoscaling', 'DescribeScalingActivities')) as {
        Activities: { StatusCode: string }[];
      };
      return Activities.some(({ StatusCode }) => StatusCode === 'Failed');
    };
    while (!(await failed()) && Date.now() < limit) await new Promise((resolve) => setTimeout(resolve, 50));
    account.refuseLaunches = '';

    expect(await underWay).toBe('CREATE_COMPLETE');
  }, 20_000);

  test('a nested stack without its template fails, and says so', async () => {
    const url = `https://s3.${REGION}.amazonaws.com/${BUCKET}/nothing.yaml`;
    expect(await make({ Inner: { Type: 'AWS::CloudFormation::Stack', Properties: { TemplateURL: url } } })).toBe(
      'ROLLBACK_COMPLETE',
    );
    expect(failures()[0]).toMatch(/^Inner: .*S3 error/);
  });
});
