import { type CreateAccessPointInput, ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import type { Configuration, DataPlane, InstanceHealth } from '../../../rehearsal/elb/data-plane.ts';
import { createElbService } from '../../../rehearsal/elb/service.ts';
import { type Machine, World } from '../../../rehearsal/world.ts';
import { clientSettings } from '../clients.ts';

/** Keeps what it was told; the real one is in data-plane.rehearsal.test.ts. */
class RecordingDataPlane implements DataPlane {
  readonly configurations = new Map<string, Configuration>();
  readonly healthSeen = new Map<string, InstanceHealth>();
  failNext = false;

  async create(configuration: Configuration): Promise<void> {
    if (this.failNext) throw new Error('no room');
    this.configurations.set(configuration.loadBalancerName, configuration);
  }
  async update(configuration: Configuration): Promise<void> {
    this.configurations.set(configuration.loadBalancerName, configuration);
  }
  async delete(loadBalancerName: string): Promise<void> {
    this.configurations.delete(loadBalancerName);
  }
  async health(): Promise<ReadonlyMap<string, InstanceHealth>> {
    return this.healthSeen;
  }
}

let endpoint: AwsEndpoint;
let elb: ElasticLoadBalancing;
let world: World;
let dataPlane: RecordingDataPlane;

beforeEach(async () => {
  world = new World();
  for (const [index, zone] of ['a', 'b'].entries()) {
    const subnetId = `subnet-${index + 1}`;
    world.subnets.set(subnetId, {
      subnetId,
      vpcId: 'vpc-1',
      cidrBlock: `10.0.${101 + index}.0/24`,
      availabilityZone: `eu-central-1${zone}`,
    });
    const instanceId = `i-${index + 1}`;
    world.instances.set(instanceId, {
      instanceId,
      privateIpAddress: `10.0.${index + 1}.11`,
      availabilityZone: `eu-central-1${zone}`,
      tags: {},
      machine: {} as Machine,
      agentOnline: true,
    });
  }
  dataPlane = new RecordingDataPlane();
  endpoint = await startAwsEndpoint({
    services: [createElbService({ world, dataPlane, clock: () => new Date('2026-11-21T05:06:07Z') })],
  });
  elb = new ElasticLoadBalancing(clientSettings(endpoint));
});
afterEach(() => endpoint.close());

const LoadBalancerName = 'web';
const tcp80 = { Protocol: 'TCP', LoadBalancerPort: 80, InstancePort: 80 };
const create = (input: Partial<CreateAccessPointInput> = {}) =>
  elb.createLoadBalancer({ LoadBalancerName, Listeners: [tcp80], Subnets: ['subnet-1', 'subnet-2'], ...input });
const createProxyPolicy = (PolicyName = 'proxy', value = 'true') =>
  elb.createLoadBalancerPolicy({
    LoadBalancerName,
    PolicyName,
    PolicyTypeName: 'ProxyProtocolPolicyType',
    PolicyAttributes: [{ AttributeName: 'ProxyProtocol', AttributeValue: value }],
  });
const setPolicies = (InstancePort: number, PolicyNames: string[]) =>
  elb.setLoadBalancerPoliciesForBackendServer({ LoadBalancerName, InstancePort, PolicyNames });
const describeOne = async () => {
  const { LoadBalancerDescriptions } = await elb.describeLoadBalancers({ LoadBalancerNames: [LoadBalancerName] });
  const [description] = LoadBalancerDescriptions ?? [];
  if (description === undefined) throw new Error('not described');
  return description;
};
const code = (promise: Promise<unknown>): Promise<string | undefined> =>
  promise.then(
    () => undefined,
    (error: { Code?: string }) => error.Code ?? String(error),
  );

describe('CreateLoadBalancer', () => {
  test('describes what was created, with the defaults of the API', async () => {
    const { DNSName } = await create({ Tags: [{ Key: 'team', Value: 'a' }] });

    expect(await describeOne()).toMatchObject({
      LoadBalancerName,
      DNSName,
      Scheme: 'internet-facing',
      ListenerDescriptions: [{ Listener: { ...tcp80, InstanceProtocol: 'TCP' }, PolicyNames: [] }],
      BackendServerDescriptions: [],
      HealthCheck: { Target: 'TCP:80', Interval: 30, Timeout: 5, UnhealthyThreshold: 2, HealthyThreshold: 10 },
      AvailabilityZones: ['eu-central-1a', 'eu-central-1b'],
      VPCId: 'vpc-1',
      CreatedTime: new Date('2026-11-21T05:06:07Z'),
    });
    expect(DNSName).toMatch(/^web-\d+\.eu-central-1\.elb\.amazonaws\.com$/);
    expect((await elb.describeTags({ LoadBalancerNames: [LoadBalancerName] })).TagDescriptions).toMatchObject([
      { LoadBalancerName, Tags: [{ Key: 'team', Value: 'a' }] },
    ]);
    expect((await elb.describeLoadBalancerAttributes({ LoadBalancerName })).LoadBalancerAttributes).toMatchObject({
      CrossZoneLoadBalancing: { Enabled: false },
      ConnectionDraining: { Enabled: false, Timeout: 300 },
      ConnectionSettings: { IdleTimeout: 60 },
    });
  });

  const refused: readonly [string, Partial<CreateAccessPointInput>, string][] = [
    ['a name with an underscore', { LoadBalancerName: 'a_b' }, 'ValidationError'],
    ['no listener', { Listeners: [] }, 'ValidationError'],
    ['an unknown subnet', { Subnets: ['subnet-9'] }, 'SubnetNotFound'],
    ['neither subnets nor zones', { Subnets: undefined }, 'ValidationError'],
    ['a security group: the account has none', { SecurityGroups: ['sg-1'] }, 'InvalidSecurityGroup'],
    [
      'protocols of two layers',
      { Listeners: [{ ...tcp80, Protocol: 'HTTP', InstanceProtocol: 'TCP' }] },
      'InvalidConfigurationRequest',
    ],
    ['HTTPS without a certificate', { Listeners: [{ ...tcp80, Protocol: 'HTTPS' }] }, 'ValidationError'],
    [
      'an instance port that one listener speaks TLS to and another does not',
      { Listeners: [tcp80, { ...tcp80, LoadBalancerPort: 81, InstanceProtocol: 'SSL' }] },
      'InvalidConfigurationRequest',
    ],
    ['a protocol that does not exist', { Listeners: [{ ...tcp80, Protocol: 'UDP' }] }, 'ValidationError'],
    ['SSL without a certificate', { Listeners: [{ ...tcp80, Protocol: 'SSL' }] }, 'ValidationError'],
    ['instance port 0', { Listeners: [{ ...tcp80, InstancePort: 0 }] }, 'ValidationError'],
    ['one port for two instance ports', { Listeners: [tcp80, { ...tcp80, InstancePort: 81 }] }, 'DuplicateListener'],
    ['an unknown scheme', { Scheme: 'public' }, 'InvalidScheme'],
    ['the same tag twice', { Tags: [{ Key: 'a' }, { Key: 'a' }] }, 'DuplicateTagKeys'],
  ];
  test.each(refused)('refuses %s', async (_desc, input, expected) => {
    expect(await code(create(input))).toBe(expected);
    expect(dataPlane.configurations.size).toBe(0);
  });

  test('HTTP and TCP may share an instance port; what is not said is of the listener’s layer', async () => {
    await create({
      Listeners: [tcp80, { Protocol: 'HTTP', LoadBalancerPort: 8080, InstancePort: tcp80.InstancePort }],
    });
    const { LoadBalancerDescriptions } = await elb.describeLoadBalancers({});
    expect(LoadBalancerDescriptions?.[0]?.ListenerDescriptions).toMatchObject([
      { Listener: { Protocol: 'TCP', InstanceProtocol: 'TCP', InstancePort: 80 } },
      { Listener: { Protocol: 'HTTP', InstanceProtocol: 'HTTP', InstancePort: 80 } },
    ]);
  });

  test('a second one of the name is a duplicate', async () => {
    await create();
    expect(await code(create())).toBe('DuplicateLoadBalancerName');
  });

  test('one whose nodes cannot start does not exist', async () => {
    dataPlane.failNext = true;
    expect(await code(create())).toBe('InternalFailure');
    expect(await code(describeOne())).toBe('LoadBalancerNotFound');
  });
});

test('a listener again with the same content is no error; with other content none of the call is made', async () => {
  await create();
  const add = (...Listeners: (typeof tcp80)[]) =>
    code(elb.createLoadBalancerListeners({ LoadBalancerName, Listeners }));

  expect(await add(tcp80)).toBeUndefined();
  expect(await add({ ...tcp80, LoadBalancerPort: 81 }, { ...tcp80, InstancePort: 8080 })).toBe('DuplicateListener');
  expect((await describeOne()).ListenerDescriptions?.map((each) => each.Listener?.LoadBalancerPort)).toEqual([80]);
});

test('DescribeLoadBalancers pages, and one that went away between pages is passed over', async () => {
  for (const name of ['c', 'a', 'e', 'b', 'd']) await create({ LoadBalancerName: name });

  const pages: (string | undefined)[][] = [];
  let Marker: string | undefined;
  do {
    const page = await elb.describeLoadBalancers({ PageSize: 2, ...(Marker ? { Marker } : {}) });
    pages.push((page.LoadBalancerDescriptions ?? []).map((each) => each.LoadBalancerName));
    Marker = page.NextMarker;
    await elb.deleteLoadBalancer({ LoadBalancerName: 'c' });
  } while (Marker);

  expect(pages).toEqual([
    ['a', 'b'],
    ['d', 'e'],
  ]);
  expect(await code(elb.describeLoadBalancers({ PageSize: 401 }))).toBe('ValidationError');
  expect(await code(elb.describeLoadBalancers({ LoadBalancerNames: ['a', 'gone'] }))).toBe('LoadBalancerNotFound');
});

describe('policies', () => {
  beforeEach(() => create().then(() => undefined));

  test('SetLoadBalancerPoliciesForBackendServer replaces the whole list, and an empty one removes the port', async () => {
    await createProxyPolicy();
    await createProxyPolicy('other', 'false');
    await setPolicies(80, ['other', 'proxy']);
    expect((await describeOne()).BackendServerDescriptions).toEqual([
      { InstancePort: 80, PolicyNames: ['other', 'proxy'] },
    ]);
    expect(dataPlane.configurations.get('web')?.proxyPorts).toEqual([80]);

    await setPolicies(80, ['other']);
    expect((await describeOne()).BackendServerDescriptions).toEqual([{ InstancePort: 80, PolicyNames: ['other'] }]);
    expect(dataPlane.configurations.get('web')?.proxyPorts).toEqual([]);

    await setPolicies(80, []);
    expect((await describeOne()).BackendServerDescriptions).toEqual([]);
  });

  test('a port needs no listener, and its policies outlive the listener', async () => {
    await createProxyPolicy();
    await setPolicies(80, ['proxy']);
    await setPolicies(9999, ['proxy']);
    await elb.deleteLoadBalancerListeners({ LoadBalancerName, LoadBalancerPorts: [80] });
    expect((await describeOne()).ListenerDescriptions).toEqual([]);

    await elb.createLoadBalancerListeners({ LoadBalancerName, Listeners: [{ ...tcp80, LoadBalancerPort: 8080 }] });

    expect((await describeOne()).BackendServerDescriptions?.map((each) => each.InstancePort)).toEqual([80, 9999]);
    expect(dataPlane.configurations.get('web')?.proxyPorts).toEqual([80, 9999]);
  });

  test('the same policy again is no error, in any case of its value; other content is', async () => {
    expect(await code(createProxyPolicy())).toBeUndefined();
    expect(await code(createProxyPolicy('proxy', 'True'))).toBeUndefined();
    expect(await code(createProxyPolicy('proxy', 'false'))).toBe('DuplicatePolicyName');

    const { PolicyDescriptions } = await elb.describeLoadBalancerPolicies({ LoadBalancerName });
    expect(PolicyDescriptions).toEqual([
      {
        PolicyName: 'proxy',
        PolicyTypeName: 'ProxyProtocolPolicyType',
        PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol', AttributeValue: 'true' }],
      },
    ]);
  });

  test('"True" switches the PROXY protocol on as "true" does', async () => {
    await createProxyPolicy('proxy', 'True');
    await setPolicies(80, ['proxy']);
    expect(dataPlane.configurations.get('web')?.proxyPorts).toEqual([80]);
  });

  test('other back-end policies can stand beside it', async () => {
    await elb.createLoadBalancerPolicy({
      LoadBalancerName,
      PolicyName: 'key',
      PolicyTypeName: 'PublicKeyPolicyType',
      PolicyAttributes: [{ AttributeName: 'PublicKey', AttributeValue: 'MII' }],
    });
    await elb.createLoadBalancerPolicy({
      LoadBalancerName,
      PolicyName: 'authentication',
      PolicyTypeName: 'BackendServerAuthenticationPolicyType',
      PolicyAttributes: [{ AttributeName: 'PublicKeyPolicyName', AttributeValue: 'key' }],
    });
    await createProxyPolicy();

    await setPolicies(80, ['authentication', 'proxy']);

    expect((await describeOne()).Policies?.OtherPolicies).toEqual(['key', 'authentication', 'proxy']);
    expect(await code(setPolicies(80, ['key']))).toBe('InvalidConfigurationRequest');
  });

  const withPolicy = { LoadBalancerName, PolicyName: 'x', PolicyTypeName: 'ProxyProtocolPolicyType' };
  const refused: readonly [string, () => Promise<unknown>, string][] = [
    ['a policy that does not exist', () => setPolicies(80, ['gone']), 'PolicyNotFound'],
    ['instance port 0', () => setPolicies(0, []), 'ValidationError'],
    [
      'an unknown policy type',
      () => elb.createLoadBalancerPolicy({ ...withPolicy, PolicyTypeName: 'X' }),
      'PolicyTypeNotFound',
    ],
    ['a policy without its attribute', () => elb.createLoadBalancerPolicy(withPolicy), 'InvalidConfigurationRequest'],
    ['a value that is not a boolean', () => createProxyPolicy('proxy', 'yes'), 'InvalidConfigurationRequest'],
    [
      'another load balancer',
      () => elb.describeLoadBalancerPolicies({ LoadBalancerName: 'x' }),
      'LoadBalancerNotFound',
    ],
    [
      'a named policy that is not there',
      () => elb.describeLoadBalancerPolicies({ LoadBalancerName, PolicyNames: ['x'] }),
      'PolicyNotFound',
    ],
    ['the sample policies', () => elb.describeLoadBalancerPolicies({}), 'OperationNotPermitted'],
  ];
  test.each(refused)('refuses %s', async (_desc, call, expected) => {
    expect(await code(call())).toBe(expected);
  });

  test('a PROXY policy cannot be enabled on a listener: 409, in the words of AWS', async () => {
    await createProxyPolicy();
    const call = elb.setLoadBalancerPoliciesOfListener({
      LoadBalancerName,
      LoadBalancerPort: 80,
      PolicyNames: ['proxy'],
    });

    await expect(call).rejects.toMatchObject({
      name: 'InvalidConfigurationRequestException',
      message: 'proxy cannot be enabled',
      $metadata: { httpStatusCode: 409 },
    });
    expect(
      await code(elb.setLoadBalancerPoliciesOfListener({ LoadBalancerName, LoadBalancerPort: 81, PolicyNames: [] })),
    ).toBe('ListenerNotFound');
  });

  test('one in use on an instance port cannot be deleted; one that is gone can', async () => {
    await createProxyPolicy();
    await setPolicies(80, ['proxy']);
    const remove = () => code(elb.deleteLoadBalancerPolicy({ LoadBalancerName, PolicyName: 'proxy' }));

    expect(await remove()).toBe('InvalidConfigurationRequest');
    await setPolicies(80, []);
    expect(await remove()).toBeUndefined();
    expect(await remove()).toBeUndefined();
  });

  test('the types are listed with their attributes', async () => {
    const { PolicyTypeDescriptions } = await elb.describeLoadBalancerPolicyTypes({
      PolicyTypeNames: ['ProxyProtocolPolicyType'],
    });
    expect(PolicyTypeDescriptions).toMatchObject([
      {
        PolicyTypeName: 'ProxyProtocolPolicyType',
        PolicyAttributeTypeDescriptions: [
          { AttributeName: 'ProxyProtocol', AttributeType: 'Boolean', Cardinality: 'ONE' },
        ],
      },
    ]);
  });
});

describe('instances', () => {
  beforeEach(() => create().then(() => undefined));
  const register = (...ids: string[]) =>
    elb.registerInstancesWithLoadBalancer({ LoadBalancerName, Instances: ids.map((InstanceId) => ({ InstanceId })) });

  test('registered instances reach the data plane with address and zone, and leave it', async () => {
    expect((await register('i-1', 'i-2')).Instances).toEqual([{ InstanceId: 'i-1' }, { InstanceId: 'i-2' }]);
    expect(dataPlane.configurations.get('web')?.instances).toEqual([
      { instanceId: 'i-1', privateIpAddress: '10.0.1.11', availabilityZone: 'eu-central-1a' },
      { instanceId: 'i-2', privateIpAddress: '10.0.2.11', availabilityZone: 'eu-central-1b' },
    ]);

    await elb.deregisterInstancesFromLoadBalancer({ LoadBalancerName, Instances: [{ InstanceId: 'i-1' }] });
    expect(dataPlane.configurations.get('web')?.instances.map((each) => each.instanceId)).toEqual(['i-2']);
  });

  test('an id that EC2 does not know is InvalidInstance, and none of the call is registered', async () => {
    expect(await code(register('i-1', 'i-9'))).toBe('InvalidInstance');
    expect((await describeOne()).Instances).toEqual([]);
  });

  test('health: in progress until the nodes have seen it, then what they see; named ones also when not registered', async () => {
    await register('i-1');
    const health = async (...ids: string[]) => {
      const { InstanceStates } = await elb.describeInstanceHealth({
        LoadBalancerName,
        Instances: ids.map((InstanceId) => ({ InstanceId })),
      });
      return (InstanceStates ?? []).map(({ InstanceId, State, ReasonCode }) => [InstanceId, State, ReasonCode]);
    };

    expect(await health()).toEqual([['i-1', 'OutOfService', 'ELB']]);
    dataPlane.healthSeen.set('i-1', { state: 'InService', reasonCode: 'N/A', description: 'N/A' });
    expect(await health()).toEqual([['i-1', 'InService', 'N/A']]);
    expect(await health('i-2')).toEqual([['i-2', 'OutOfService', 'Instance']]);
    expect(await code(elb.describeInstanceHealth({ LoadBalancerName, Instances: [{ InstanceId: 'i-9' }] }))).toBe(
      'InvalidInstance',
    );
  });
});

describe('settings', () => {
  beforeEach(() => create().then(() => undefined));

  test('attributes given are changed, the others stay', async () => {
    await elb.modifyLoadBalancerAttributes({
      LoadBalancerName,
      LoadBalancerAttributes: { ConnectionSettings: { IdleTimeout: 4000 } },
    });
    await elb.modifyLoadBalancerAttributes({
      LoadBalancerName,
      LoadBalancerAttributes: {
        ConnectionDraining: { Enabled: true, Timeout: 20 },
        CrossZoneLoadBalancing: { Enabled: true },
      },
    });

    expect(dataPlane.configurations.get('web')).toMatchObject({
      idleTimeoutSeconds: 4000,
      drainingSeconds: 20,
      isCrossZone: true,
    });
  });

  const check = { Target: 'HTTP:8078/healthz', Interval: 10, Timeout: 5, UnhealthyThreshold: 2, HealthyThreshold: 3 };
  test('a health check is kept and handed on', async () => {
    await elb.configureHealthCheck({ LoadBalancerName, HealthCheck: check });
    expect((await describeOne()).HealthCheck).toEqual(check);
    expect(dataPlane.configurations.get('web')?.healthCheck.target).toBe('HTTP:8078/healthz');
  });

  const refused: readonly [string, () => Promise<unknown>][] = [
    [
      'a timeout not below the interval',
      () => elb.configureHealthCheck({ LoadBalancerName, HealthCheck: { ...check, Timeout: 10 } }),
    ],
    [
      'an interval below 5 s',
      () => elb.configureHealthCheck({ LoadBalancerName, HealthCheck: { ...check, Interval: 4 } }),
    ],
    [
      'HTTP without a path',
      () => elb.configureHealthCheck({ LoadBalancerName, HealthCheck: { ...check, Target: 'HTTP:80' } }),
    ],
    [
      'TCP with a path',
      () => elb.configureHealthCheck({ LoadBalancerName, HealthCheck: { ...check, Target: 'TCP:80/x' } }),
    ],
    [
      'an idle timeout over 4,000 s',
      () =>
        elb.modifyLoadBalancerAttributes({
          LoadBalancerName,
          LoadBalancerAttributes: { ConnectionSettings: { IdleTimeout: 4001 } },
        }),
    ],
  ];
  test.each(refused)('refuses %s', async (_desc, call) => {
    expect(await code(call())).toBe('ValidationError');
  });

  test('tags are added, replaced and removed', async () => {
    const LoadBalancerNames = [LoadBalancerName];
    await elb.addTags({
      LoadBalancerNames,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '2' },
      ],
    });
    await elb.addTags({ LoadBalancerNames, Tags: [{ Key: 'a', Value: '3' }] });
    await elb.removeTags({ LoadBalancerNames, Tags: [{ Key: 'b' }] });

    const { TagDescriptions } = await elb.describeTags({ LoadBalancerNames });
    expect(TagDescriptions).toEqual([{ LoadBalancerName, Tags: [{ Key: 'a', Value: '3' }] }]);
  });

  test('DeleteLoadBalancer of what is gone succeeds', async () => {
    await elb.deleteLoadBalancer({ LoadBalancerName });
    expect(await code(elb.deleteLoadBalancer({ LoadBalancerName }))).toBeUndefined();
    expect(dataPlane.configurations.size).toBe(0);
  });
});
