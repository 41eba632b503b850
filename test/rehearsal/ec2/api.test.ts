import { EC2, type Filter, paginateDescribeNetworkInterfaces } from '@aws-sdk/client-ec2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import type { LaunchRequest } from '../../../rehearsal/ec2/parts.ts';
import { createEc2Service } from '../../../rehearsal/ec2/service.ts';
import { type Machine, World } from '../../../rehearsal/world.ts';
import { clientSettings, codeOf } from '../clients.ts';

/** What EC2 has booted and ended, without a machine. */
const machines = {
  launched: [] as LaunchRequest[],
  terminated: [] as string[],
  async launch(request: LaunchRequest): Promise<Machine> {
    machines.launched.push(request);
    return { name: request.instanceId, isRunning: () => true } as Machine;
  },
  async terminate({ name }: Machine): Promise<void> {
    machines.terminated.push(name);
  },
};

let endpoint: AwsEndpoint;
let ec2: EC2;

beforeEach(async () => {
  const world = new World();
  for (const index of [1, 2]) {
    world.subnets.set(`subnet-${index}`, {
      subnetId: `subnet-${index}`,
      vpcId: 'vpc-1',
      cidrBlock: `10.0.${100 + index}.0/24`,
      availabilityZone: `eu-central-1${'_ab'[index]}`,
    });
    world.instances.set(`i-${index}`, {
      instanceId: `i-${index}`,
      privateIpAddress: `10.0.${index}.11`,
      availabilityZone: `eu-central-1${'_ab'[index]}`,
      tags: index === 1 ? { fleet: 'web', empty: '' } : { fleet: 'other' },
      machine: { isRunning: () => index === 1 } as Machine,
      agentOnline: true,
    });
  }
  for (const [index, name] of ['web', 'web', 'web-2', 'shop', 'shop', 'shop', 'a*b'].entries()) {
    world.networkInterfaces.set(`eni-${index}`, {
      networkInterfaceId: `eni-${index}`,
      description: `ELB ${name}`,
      privateIpAddress: `10.0.101.${21 + index}`,
      subnetId: index % 2 === 0 ? 'subnet-1' : 'subnet-2',
    });
  }
  endpoint = await startAwsEndpoint({ services: [createEc2Service({ world, machines })] });
  ec2 = new EC2(clientSettings(endpoint));
});
afterEach(() => endpoint.close());

describe('DescribeNetworkInterfaces', () => {
  const ids = async (Filters: Filter[]) =>
    (await ec2.describeNetworkInterfaces({ Filters })).NetworkInterfaces?.map((each) => each.NetworkInterfaceId);

  const cases: readonly [string, Filter[], string[]][] = [
    ['a description is matched whole', [{ Name: 'description', Values: ['ELB web'] }], ['eni-0', 'eni-1']],
    ['* is any text, the end included', [{ Name: 'description', Values: ['ELB web*'] }], ['eni-0', 'eni-1', 'eni-2']],
    ['? is one character', [{ Name: 'description', Values: ['ELB web-?'] }], ['eni-2']],
    ['a backslash makes * a character', [{ Name: 'description', Values: ['ELB a\\*b'] }], ['eni-6']],
    ['case counts', [{ Name: 'description', Values: ['elb web'] }], []],
    ['a dot is a dot', [{ Name: 'private-ip-address', Values: ['10.0.101.2'] }], []],
    [
      'any value of a filter is enough',
      [{ Name: 'description', Values: ['ELB web-2', 'ELB a?b'] }],
      ['eni-2', 'eni-6'],
    ],
    [
      'all filters must match',
      [
        { Name: 'description', Values: ['ELB web'] },
        { Name: 'subnet-id', Values: ['subnet-2'] },
      ],
      ['eni-1'],
    ],
    [
      'made by ELB',
      [{ Name: 'requester-id', Values: ['amazon-elb'] }],
      [0, 1, 2, 3, 4, 5, 6].map((index) => `eni-${index}`),
    ],
  ];
  test.each(cases)('%s', async (_desc, filters, expected) => {
    expect(await ids(filters)).toEqual(expected);
  });

  test('a filter that is not there is refused, not ignored', async () => {
    expect(await codeOf(ids([{ Name: 'descripton', Values: ['ELB web'] }]))).toBe('InvalidParameterValue');
  });

  test('pages of at least five, each with the addresses that the runbook reads', async () => {
    const pages = [];
    for await (const page of paginateDescribeNetworkInterfaces({ client: ec2, pageSize: 5 }, {})) {
      pages.push((page.NetworkInterfaces ?? []).map((each) => [each.PrivateIpAddress, each.VpcId]));
    }
    expect(pages.map((page) => page.length)).toEqual([5, 2]);
    expect(pages[1]).toEqual([
      ['10.0.101.26', 'vpc-1'],
      ['10.0.101.27', 'vpc-1'],
    ]);
    expect(await codeOf(ec2.describeNetworkInterfaces({ MaxResults: 4 }))).toBe('InvalidParameterValue');
    expect(await codeOf(ec2.describeNetworkInterfaces({ NextToken: 'x' }))).toBe('InvalidPaginationToken');
  });
});

test('DescribeSubnets: those named, with their blocks; one unknown fails the call', async () => {
  const { Subnets } = await ec2.describeSubnets({ SubnetIds: ['subnet-2'] });
  expect(Subnets).toMatchObject([{ SubnetId: 'subnet-2', CidrBlock: '10.0.102.0/24', VpcId: 'vpc-1' }]);
  expect(await codeOf(ec2.describeSubnets({ SubnetIds: ['subnet-1', 'subnet-9'] }))).toBe('InvalidSubnetID.NotFound');
});

describe('DescribeInstances', () => {
  const ids = async (Filters: Filter[]) =>
    (await ec2.describeInstances({ Filters })).Reservations?.flatMap((each) =>
      each.Instances?.map((one) => one.InstanceId),
    );

  const cases: readonly [string, Filter[], string[]][] = [
    ['by tag', [{ Name: 'tag:fleet', Values: ['web'] }], ['i-1']],
    ['by a tag without value', [{ Name: 'tag:empty', Values: [''] }], ['i-1']],
    ['by a tag that nobody has', [{ Name: 'tag:none', Values: ['*'] }], []],
    ['by state', [{ Name: 'instance-state-name', Values: ['stopped'] }], ['i-2']],
  ];
  test.each(cases)('%s', async (_desc, filters, expected) => {
    expect(await ids(filters)).toEqual(expected);
  });

  test('one that does not exist is InvalidInstanceID.NotFound', async () => {
    expect(await codeOf(ec2.describeInstances({ InstanceIds: ['i-9'] }))).toBe('InvalidInstanceID.NotFound');
  });
});

test('an action that is not there is InvalidAction', async () => {
  expect(await codeOf(ec2.describeRegions({}))).toBe('InvalidAction');
});
