/** What stacks make in EC2, through the SDK's own client: a network, security groups, launch templates and instances without machines. */
import { EC2, type RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { freeAddress, isWithin, overlaps } from '../../../rehearsal/ec2/addresses.ts';
import { architectureOf, PUBLIC_PARAMETERS } from '../../../rehearsal/ec2/images.ts';
import type { LaunchRequest } from '../../../rehearsal/ec2/parts.ts';
import { createEc2Service } from '../../../rehearsal/ec2/service.ts';
import { type Machine, World } from '../../../rehearsal/world.ts';
import { clientSettings } from '../clients.ts';

const [ARM64, X86_64] = ['arm64', 'x86_64'].map(
  (architecture) => [...PUBLIC_PARAMETERS].find(([name]) => name.endsWith(architecture))?.[1] ?? '',
);

let world: World;
let launched: LaunchRequest[];
let networkChanges: number;
let endpoint: AwsEndpoint;
let ec2: EC2;
let vpcId: string;
let subnetId: string;

/** Of a fleet that a scenario has booted itself. */
const THERE = { vpcId: 'vpc-0123', cidrBlock: '10.0.0.0/16' };

beforeEach(async () => {
  world = new World();
  launched = [];
  networkChanges = 0;
  world.networkChanged = async () => {
    networkChanges += 1;
  };
  const machines = {
    async launch(request: LaunchRequest): Promise<Machine> {
      launched.push(request);
      return { isRunning: () => true } as Machine;
    },
    async terminate() {},
  };
  endpoint = await startAwsEndpoint({ services: [createEc2Service({ world, machines, vpcs: [THERE] })] });
  ec2 = new EC2(clientSettings(endpoint));
  const { Vpc } = await ec2.createVpc({ CidrBlock: '10.0.0.0/16' });
  vpcId = Vpc?.VpcId ?? '';
  subnetId = await subnet('10.0.1.0/24');
});
afterEach(() => endpoint.close());

const subnet = async (CidrBlock: string, AvailabilityZone = 'eu-central-1a'): Promise<string> =>
  (await ec2.createSubnet({ VpcId: vpcId, CidrBlock, AvailabilityZone })).Subnet?.SubnetId ?? '';
const securityGroup = async (GroupName: string): Promise<string> =>
  (await ec2.createSecurityGroup({ GroupName, Description: GroupName, VpcId: vpcId })).GroupId ?? '';
const template = async (data: RequestLaunchTemplateData): Promise<string> => {
  const { LaunchTemplate } = await ec2.createLaunchTemplate({ LaunchTemplateName: 'web', LaunchTemplateData: data });
  return LaunchTemplate?.LaunchTemplateId ?? '';
};
const run = async (LaunchTemplateId: string, MaxCount = 1) =>
  (await ec2.runInstances({ LaunchTemplate: { LaunchTemplateId }, SubnetId: subnetId, MinCount: 1, MaxCount }))
    .Instances ?? [];
const code = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: Error) => error.name,
  );

describe('a network', () => {
  test('that the account had before takes a subnet, within its range', async () => {
    const made = (CidrBlock: string) => ec2.createSubnet({ VpcId: THERE.vpcId, CidrBlock });

    expect((await made('10.0.111.0/24')).Subnet).toMatchObject({ VpcId: THERE.vpcId, CidrBlock: '10.0.111.0/24' });
    expect(await code(made('10.1.0.0/24'))).toBe('InvalidSubnet.Range');
  });

  test('is made, looked up, and taken away in the opposite order', async () => {
    const gateway = (await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId;
    await ec2.attachInternetGateway({ InternetGatewayId: gateway, VpcId: vpcId });
    const table = (await ec2.createRouteTable({ VpcId: vpcId })).RouteTable?.RouteTableId;
    await ec2.createRoute({ RouteTableId: table, DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway });
    const { AssociationId } = await ec2.associateRouteTable({ RouteTableId: table, SubnetId: subnetId });

    const { RouteTables } = await ec2.describeRouteTables({
      Filters: [{ Name: 'association.subnet-id', Values: [subnetId] }],
    });
    expect(RouteTables).toMatchObject([{ Routes: [{ DestinationCidrBlock: '0.0.0.0/0', GatewayId: gateway }] }]);

    for (const tooEarly of [
      () => ec2.deleteVpc({ VpcId: vpcId }),
      () => ec2.deleteRouteTable({ RouteTableId: table }),
      () => ec2.deleteInternetGateway({ InternetGatewayId: gateway }),
    ]) {
      expect(await code(tooEarly())).toBe('DependencyViolation');
    }
    await ec2.disassociateRouteTable({ AssociationId });
    await ec2.deleteRouteTable({ RouteTableId: table });
    await ec2.detachInternetGateway({ InternetGatewayId: gateway, VpcId: vpcId });
    await ec2.deleteInternetGateway({ InternetGatewayId: gateway });
    await ec2.deleteSubnet({ SubnetId: subnetId });
    await ec2.deleteVpc({ VpcId: vpcId });
    expect((await ec2.describeVpcs({})).Vpcs?.map(({ VpcId }) => VpcId)).toEqual([THERE.vpcId]);
  });

  const refusals: readonly [desc: string, call: () => Promise<unknown>, expected: string][] = [
    [
      'a VPC that the rehearsal’s link does not reach',
      () => ec2.createVpc({ CidrBlock: '172.31.0.0/16' }),
      'InvalidVpc.Range',
    ],
    [
      'a network with bits behind its length',
      () => ec2.createVpc({ CidrBlock: '10.0.1.0/16' }),
      'InvalidParameterValue',
    ],
    ['a subnet outside of its VPC', () => subnet('192.0.2.0/24'), 'InvalidSubnet.Range'],
    ['a subnet over another', () => subnet('10.0.1.128/25'), 'InvalidSubnet.Conflict'],
    ['a zone that is not there', () => subnet('10.0.9.0/24', 'eu-central-1f'), 'InvalidParameterValue'],
    [
      'a subnet of no VPC',
      () => ec2.createSubnet({ VpcId: 'vpc-1', CidrBlock: '10.0.9.0/24' }),
      'InvalidVpcID.NotFound',
    ],
    [
      'an input that is not there',
      () => ec2.createVpc({ CidrBlock: '10.0.0.0/16', InstanceTenancy: 'dedicated' }),
      'UnsupportedOperation',
    ],
    [
      'tags for something else',
      () => ec2.createVpc({ CidrBlock: '10.0.0.0/16', TagSpecifications: [{ ResourceType: 'subnet' }] }),
      'InvalidParameterValue',
    ],
  ];
  test.each(refusals)('%s is refused', async (_, call, expected) => {
    expect(await code(call())).toBe(expected);
  });

  test.each([
    ['the first four are AWS’s', '10.0.1.0/24', [], '10.0.1.4'],
    ['what is used is passed over', '10.0.1.0/24', ['10.0.1.4', '10.0.1.5'], '10.0.1.6'],
    ['a subnet need not begin with 0', '10.0.1.128/25', [], '10.0.1.132'],
  ])('addresses: %s', (_, block, used, expected) => {
    expect(freeAddress(block, new Set(used))).toBe(expected);
  });

  test('addresses: the last is AWS’s, too, and then there are none', () => {
    expect(() => freeAddress('10.0.1.0/29', new Set(['10.0.1.4', '10.0.1.5', '10.0.1.6']))).toThrow(
      'not enough free addresses',
    );
  });

  test.each([
    ['10.0.1.0/24', '10.0.0.0/16', true, true],
    ['10.0.0.0/16', '10.0.1.0/24', false, true],
    ['10.0.1.0/24', '10.0.2.0/24', false, false],
  ])('%s within %s: %s; one over the other: %s', (left, right, within, over) => {
    expect([isWithin(left, right), overlaps(left, right)]).toEqual([within, over]);
  });
});

describe('security groups', () => {
  const allow = (GroupId: string, source: { cidr: string } | { group: string }) =>
    ec2.authorizeSecurityGroupIngress({
      GroupId,
      IpPermissions: [
        {
          IpProtocol: 'tcp',
          FromPort: 80,
          ToPort: 81,
          ...('cidr' in source
            ? { IpRanges: [{ CidrIp: source.cidr }] }
            : { UserIdGroupPairs: [{ GroupId: source.group }] }),
        },
      ],
    });

  test('let nobody in and everything out, until they are told; the network is told each time', async () => {
    const [nodes, fleet] = [await securityGroup('nodes'), await securityGroup('fleet')];
    await allow(fleet, { group: nodes });
    const { SecurityGroups } = await ec2.describeSecurityGroups({ GroupIds: [nodes, fleet] });
    expect(SecurityGroups?.map(({ IpPermissions }) => IpPermissions?.length)).toEqual([0, 1]);
    expect(SecurityGroups?.map(({ IpPermissionsEgress }) => IpPermissionsEgress?.[0]?.IpProtocol)).toEqual([
      '-1',
      '-1',
    ]);
    expect(SecurityGroups?.[1]?.IpPermissions?.[0]).toMatchObject({
      FromPort: 80,
      UserIdGroupPairs: [{ GroupId: nodes }],
    });
    expect(networkChanges).toBe(1);
    expect(await code(ec2.deleteSecurityGroup({ GroupId: nodes }))).toBe('DependencyViolation');
  });

  test.each([
    [
      'a rule twice',
      async (id: string) => [await allow(id, { cidr: '10.0.0.0/16' }), await allow(id, { cidr: '10.0.0.0/16' })],
      'InvalidPermission.Duplicate',
    ],
    ['a group that is not there', (id: string) => allow(id, { group: 'sg-1' }), 'InvalidGroup.NotFound'],
    ['a name twice', () => securityGroup('fleet'), 'InvalidGroup.Duplicate'],
    [
      'a rule that is not there',
      (GroupId: string) =>
        ec2.revokeSecurityGroupIngress({
          GroupId,
          IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '10.0.0.0/16' }] }],
        }),
      'InvalidPermission.NotFound',
    ],
    [
      'ports of the wrong order',
      (GroupId: string) =>
        ec2.authorizeSecurityGroupIngress({
          GroupId,
          IpPermissions: [{ IpProtocol: 'tcp', FromPort: 9, ToPort: 8, IpRanges: [{ CidrIp: '10.0.0.0/16' }] }],
        }),
      'InvalidParameterValue',
    ],
    [
      'an IPv6 range',
      (GroupId: string) =>
        ec2.authorizeSecurityGroupIngress({
          GroupId,
          IpPermissions: [{ IpProtocol: 'tcp', FromPort: 8, ToPort: 8, Ipv6Ranges: [{ CidrIpv6: '::/0' }] }],
        }),
      'UnsupportedOperation',
    ],
  ] as const)('%s is refused', async (_, call, expected) => {
    expect(await code(call(await securityGroup('fleet')))).toBe(expected);
  });
});

describe('instances from a launch template', () => {
  test('are booted with its image, user data, groups and tags, each at an address of its own', async () => {
    const group = await securityGroup('fleet');
    const userData = Buffer.from('#!/bin/sh\ntrue\n').toString('base64');
    const id = await template({
      ImageId: X86_64,
      InstanceType: 't3.small',
      SecurityGroupIds: [group],
      UserData: userData,
      TagSpecifications: [
        { ResourceType: 'instance', Tags: [{ Key: 'fleet', Value: 'web' }] },
        { ResourceType: 'volume', Tags: [{ Key: 'fleet', Value: 'web' }] },
      ],
    });
    const instances = await run(id, 2);

    expect(instances).toMatchObject(
      [0, 1].map(() => ({
        State: { Name: 'running' },
        Tags: [{ Key: 'fleet', Value: 'web' }],
        SecurityGroups: [{ GroupId: group }],
        VpcId: vpcId,
      })),
    );
    expect(launched.map(({ privateIpAddress }) => privateIpAddress).sort()).toEqual(['10.0.1.4', '10.0.1.5']);
    expect(launched[0]).toMatchObject({ imageId: X86_64, userData: '#!/bin/sh\ntrue\n' });
    expect(await code(ec2.deleteSubnet({ SubnetId: subnetId }))).toBe('DependencyViolation');
    expect(await code(ec2.deleteSecurityGroup({ GroupId: group }))).toBe('DependencyViolation');

    await ec2.terminateInstances({ InstanceIds: instances.map(({ InstanceId }) => InstanceId ?? '') });
    expect((await ec2.describeInstances({})).Reservations).toEqual([]);
    expect(networkChanges).toBe(2);
  });

  test('a new version is for who asks for it', async () => {
    const id = await template({ ImageId: X86_64, InstanceType: 't3.small' });
    await ec2.createLaunchTemplateVersion({
      LaunchTemplateId: id,
      LaunchTemplateData: { ImageId: X86_64, InstanceType: 't3.large' },
    });
    const [before] = await run(id);
    const [after] =
      (
        await ec2.runInstances({
          LaunchTemplate: { LaunchTemplateId: id, Version: '$Latest' },
          SubnetId: subnetId,
          MinCount: 1,
          MaxCount: 1,
        })
      ).Instances ?? [];
    expect([before?.InstanceType, after?.InstanceType]).toEqual(['t3.small', 't3.large']);
  });

  test.each([
    ['an image that is not there', { ImageId: 'ami-1', InstanceType: 't3.small' }, 'InvalidAMIID.NotFound'],
    ['arm64 on a type of x86_64', { ImageId: ARM64, InstanceType: 't3.small' }, 'InvalidParameterValue'],
    ['x86_64 on a type of arm64', { ImageId: X86_64, InstanceType: 't4g.small' }, 'InvalidParameterValue'],
    [
      'a group that is not there',
      { ImageId: X86_64, InstanceType: 't3.small', SecurityGroupIds: ['sg-1'] },
      'InvalidGroup.NotFound',
    ],
  ] as const)('%s is refused', async (_, data, expected) => {
    const id = await template({
      ...data,
      SecurityGroupIds: [...('SecurityGroupIds' in data ? data.SecurityGroupIds : [])],
    });
    expect(await code(run(id))).toBe(expected);
    expect(launched).toEqual([]);
  });

  test('a key pair is refused by name: nobody logs in', async () => {
    expect(await code(template({ ImageId: X86_64, KeyName: 'mine' }))).toBe('UnsupportedOperation');
  });

  test.each([
    ['t4g.small', 'arm64'],
    ['m7gd.large', 'arm64'],
    ['t3.small', 'x86_64'],
    ['g5.xlarge', 'x86_64'],
    ['m6i.large', 'x86_64'],
  ])('%s is %s', (type, architecture) => {
    expect(architectureOf(type)).toBe(architecture);
  });
});
