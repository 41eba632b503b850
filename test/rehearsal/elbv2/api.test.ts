import { ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import {
  type Action,
  type CreateTargetGroupInput,
  ElasticLoadBalancingV2,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { createElbService } from '../../../rehearsal/elb/service.ts';
import { createElbv2Service } from '../../../rehearsal/elbv2/service.ts';
import { type Instance, World } from '../../../rehearsal/world.ts';
import { clientSettings, codeOf } from '../clients.ts';
import { PaperPlane } from './paper-plane.ts';

const CERTIFICATE = 'arn:aws:acm:eu-central-1:111122223333:certificate/web';
const REDIRECT: Action = {
  Type: 'redirect',
  RedirectConfig: { Protocol: 'HTTPS', Port: '443', StatusCode: 'HTTP_301' },
};
const FIXED: Action = { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '404' } };

let endpoint: AwsEndpoint;
let elbv2: ElasticLoadBalancingV2;
let world: World;
let dataPlane: PaperPlane;

beforeEach(async () => {
  world = new World();
  for (const [index, zone] of ['a', 'b'].entries()) {
    const subnetId = `subnet-${index + 1}`;
    const availabilityZone = `eu-central-1${zone}`;
    world.subnets.set(subnetId, { subnetId, vpcId: 'vpc-1', cidrBlock: `10.0.${101 + index}.0/24`, availabilityZone });
    const instanceId = `i-${index + 1}`;
    world.instances.set(instanceId, { instanceId, privateIpAddress: `10.0.1.${11 + index}` } as Instance);
  }
  dataPlane = new PaperPlane();
  const clock = () => new Date('2026-11-21T05:06:07Z');
  const classicPlane = {
    async create() {},
    async update() {},
    async delete() {},
    health: async () => new Map(),
  };
  endpoint = await startAwsEndpoint({
    services: [createElbService({ world, dataPlane: classicPlane }), createElbv2Service({ world, dataPlane, clock })],
  });
  elbv2 = new ElasticLoadBalancingV2(clientSettings(endpoint));
});
afterEach(() => endpoint.close());

async function loadBalancer(Name = 'web'): Promise<string> {
  const { LoadBalancers } = await elbv2.createLoadBalancer({ Name, Subnets: ['subnet-1', 'subnet-2'] });
  return LoadBalancers?.[0]?.LoadBalancerArn ?? '';
}
async function targetGroup(input: Partial<CreateTargetGroupInput> = {}): Promise<string> {
  const { TargetGroups } = await elbv2.createTargetGroup({
    Name: 'chat',
    Protocol: 'HTTP',
    Port: 80,
    VpcId: 'vpc-1',
    ...input,
  });
  return TargetGroups?.[0]?.TargetGroupArn ?? '';
}
async function listener(LoadBalancerArn: string, action: Action, Port = 80): Promise<string> {
  const { Listeners } = await elbv2.createListener({
    LoadBalancerArn,
    Protocol: 'HTTP',
    Port,
    DefaultActions: [action],
  });
  return Listeners?.[0]?.ListenerArn ?? '';
}
const forward = (TargetGroupArn: string): Action => ({ Type: 'forward', TargetGroupArn });
const told = () => [...dataPlane.configurations.values()][0];

test('both APIs of Elastic Load Balancing are at one address, told apart by the version', async () => {
  const classic = new ElasticLoadBalancing(clientSettings(endpoint));
  await loadBalancer();

  expect((await classic.describeLoadBalancers({})).LoadBalancerDescriptions).toEqual([]);
  expect((await elbv2.describeLoadBalancers({})).LoadBalancers).toHaveLength(1);
  expect(endpoint.dispatcher.calls.map(({ service, action }) => `${service} ${action}`)).toEqual([
    'elbv2 CreateLoadBalancer',
    'elasticloadbalancing DescribeLoadBalancers',
    'elbv2 DescribeLoadBalancers',
  ]);
});

describe('load balancers', () => {
  test('described as created, with the defaults of the API', async () => {
    const arn = await loadBalancer();

    expect(arn).toMatch(
      /^arn:aws:elasticloadbalancing:eu-central-1:111122223333:loadbalancer\/app\/web\/[0-9a-f]{16}$/,
    );
    expect((await elbv2.describeLoadBalancers({ Names: ['web'] })).LoadBalancers).toMatchObject([
      {
        LoadBalancerArn: arn,
        DNSName: expect.stringMatching(/^web-\d+\.eu-central-1\.elb\.amazonaws\.com$/),
        Scheme: 'internet-facing',
        Type: 'application',
        State: { Code: 'active' },
        VpcId: 'vpc-1',
        AvailabilityZones: [{ SubnetId: 'subnet-1' }, { SubnetId: 'subnet-2' }],
        CreatedTime: new Date('2026-11-21T05:06:07Z'),
      },
    ]);
    const { Attributes } = await elbv2.describeLoadBalancerAttributes({ LoadBalancerArn: arn });
    expect(Attributes).toContainEqual({ Key: 'idle_timeout.timeout_seconds', Value: '60' });
    expect(Attributes).toContainEqual({ Key: 'routing.http.xff_header_processing.mode', Value: 'append' });
  });

  test.each([
    ['one subnet', { Subnets: ['subnet-1'] }, 'ValidationError'],
    ['a subnet that is not there', { Subnets: ['subnet-1', 'subnet-9'] }, 'SubnetNotFoundException'],
    ['a security group that is not there', { SecurityGroups: ['sg-1'] }, 'InvalidSecurityGroupException'],
    ['a name that begins with internal-', { Name: 'internal-web' }, 'ValidationError'],
    ['another type', { Type: 'network' as const }, 'ValidationError'],
    ['an input that the rehearsal does not read', { CustomerOwnedIpv4Pool: 'x' }, 'ValidationError'],
  ])('%s is refused', async (_, input, expected) => {
    const wanted = { Name: 'web', Subnets: ['subnet-1', 'subnet-2'], ...input };
    expect(await codeOf(elbv2.createLoadBalancer(wanted))).toBe(expected);
    expect(dataPlane.configurations.size).toBe(0);
  });

  test('a second of the name is refused, and one that the data plane cannot make is not there', async () => {
    await loadBalancer();
    expect(await codeOf(loadBalancer())).toBe('DuplicateLoadBalancerNameException');
    dataPlane.failNext = true;
    await codeOf(loadBalancer('other'));
    expect((await elbv2.describeLoadBalancers({})).LoadBalancers).toHaveLength(1);
  });

  test('an action that is not here is InvalidAction', async () => {
    expect(await codeOf(elbv2.describeSSLPolicies({}))).toBe('InvalidAction');
  });

  test.each([
    ['idle_timeout.timeout_seconds', '4001'],
    ['routing.http.xff_header_processing.mode', 'prepend'],
    ['access_logs.s3.enabled', 'true'],
    ['routing.http.desync_mitigation_mode', 'strictest'],
    ['no.such', 'true'],
  ])('attribute %s=%s is refused, since it would have no effect', async (Key, Value) => {
    const LoadBalancerArn = await loadBalancer();
    const change = elbv2.modifyLoadBalancerAttributes({ LoadBalancerArn, Attributes: [{ Key, Value }] });
    expect(await codeOf(change)).toBe('ValidationError');
  });

  test('with deletion protection it stays; without, it goes with its listeners, and again is no error', async () => {
    const LoadBalancerArn = await loadBalancer();
    await listener(LoadBalancerArn, FIXED);
    const protection = (Value: string) =>
      elbv2.modifyLoadBalancerAttributes({
        LoadBalancerArn,
        Attributes: [{ Key: 'deletion_protection.enabled', Value }],
      });
    await protection('true');
    expect(await codeOf(elbv2.deleteLoadBalancer({ LoadBalancerArn }))).toBe('OperationNotPermittedException');
    await protection('false');
    await elbv2.deleteLoadBalancer({ LoadBalancerArn });
    await elbv2.deleteLoadBalancer({ LoadBalancerArn });
    expect(await codeOf(elbv2.describeListeners({ LoadBalancerArn }))).toBe('LoadBalancerNotFoundException');
    expect(dataPlane.configurations.size).toBe(0);
  });
});

describe('target groups', () => {
  test('have the defaults of the API', async () => {
    await targetGroup();
    expect((await elbv2.describeTargetGroups({ Names: ['chat'] })).TargetGroups).toMatchObject([
      {
        HealthCheckProtocol: 'HTTP',
        HealthCheckPort: 'traffic-port',
        HealthCheckPath: '/',
        HealthCheckIntervalSeconds: 30,
        HealthCheckTimeoutSeconds: 5,
        HealthyThresholdCount: 5,
        UnhealthyThresholdCount: 2,
        Matcher: { HttpCode: '200' },
        LoadBalancerArns: [],
      },
    ]);
  });

  test.each([
    ['a timeout as long as the interval', { HealthCheckIntervalSeconds: 5, HealthCheckTimeoutSeconds: 5 }],
    ['an interval of 4 s', { HealthCheckIntervalSeconds: 4, HealthCheckTimeoutSeconds: 2 }],
    ['a path without a slash', { HealthCheckPath: 'healthz' }],
    ['a matcher that is none', { Matcher: { HttpCode: '600' } }],
    ['another type of target', { TargetType: 'lambda' as const }],
    ['another protocol', { Protocol: 'TCP' as const }],
    ['another version of HTTP', { ProtocolVersion: 'GRPC' }],
  ])('%s is refused', async (_, input) => {
    expect(await codeOf(targetGroup(input))).toBe('ValidationError');
  });

  test('changes reach the data plane as far as the target group is used', async () => {
    const TargetGroupArn = await targetGroup({ HealthCheckPort: '8078', HealthCheckPath: '/healthz' });
    await elbv2.registerTargets({ TargetGroupArn, Targets: [{ Id: 'i-1' }, { Id: 'i-2', Port: 8080 }] });
    const LoadBalancerArn = await loadBalancer();
    expect(told()?.targetGroups).toEqual([]);

    await listener(LoadBalancerArn, forward(TargetGroupArn));
    await elbv2.modifyTargetGroup({ TargetGroupArn, HealthyThresholdCount: 3 });
    await elbv2.modifyTargetGroupAttributes({
      TargetGroupArn,
      Attributes: [
        { Key: 'stickiness.enabled', Value: 'true' },
        { Key: 'deregistration_delay.timeout_seconds', Value: '10' },
      ],
    });

    expect(told()?.targetGroups).toMatchObject([
      {
        targets: [
          { instanceId: 'i-1', privateIpAddress: '10.0.1.11', port: 80 },
          { instanceId: 'i-2', privateIpAddress: '10.0.1.12', port: 8080 },
        ],
        healthCheck: { port: 8078, path: '/healthz', healthyThreshold: 3, unhealthyThreshold: 2 },
        stickinessSeconds: 86_400,
        drainingSeconds: 10,
      },
    ]);
    await elbv2.deregisterTargets({ TargetGroupArn, Targets: [{ Id: 'i-2' }, { Id: 'i-9' }] });
    expect(told()?.targetGroups[0]?.targets).toHaveLength(1);
  });

  test('one that is used stays, and is one load balancer’s', async () => {
    const TargetGroupArn = await targetGroup();
    const used = await listener(await loadBalancer(), forward(TargetGroupArn));
    const other = await loadBalancer('other');

    expect(await codeOf(elbv2.deleteTargetGroup({ TargetGroupArn }))).toBe('ResourceInUseException');
    expect(await codeOf(listener(other, forward(TargetGroupArn)))).toBe('TargetGroupAssociationLimitException');
    await elbv2.deleteListener({ ListenerArn: used });
    await elbv2.deleteTargetGroup({ TargetGroupArn });
    expect((await elbv2.describeTargetGroups({})).TargetGroups).toEqual([]);
  });

  test('health: what the nodes say, else why there is nothing to say', async () => {
    const TargetGroupArn = await targetGroup();
    await elbv2.registerTargets({ TargetGroupArn, Targets: [{ Id: 'i-1' }, { Id: 'i-2' }] });
    const states = async (...ids: string[]) => {
      const Targets = ids.map((Id) => ({ Id }));
      const { TargetHealthDescriptions = [] } = await elbv2.describeTargetHealth({
        TargetGroupArn,
        ...(ids.length > 0 && { Targets }),
      });
      return TargetHealthDescriptions.map(({ Target, TargetHealth }) =>
        [Target?.Id, TargetHealth?.State, TargetHealth?.Reason].join(' '),
      );
    };
    expect(await states()).toEqual(['i-1 unused Target.NotInUse', 'i-2 unused Target.NotInUse']);
    await listener(await loadBalancer(), forward(TargetGroupArn));
    const healthy = { state: 'healthy', reason: undefined, description: undefined } as const;
    dataPlane.healthSeen.push({ targetGroupArn: TargetGroupArn, instanceId: 'i-1', port: 80, ...healthy });
    expect(await states()).toEqual(['i-1 healthy ', 'i-2 initial Elb.RegistrationInProgress']);
    world.instances.delete('i-2');
    expect(await states('i-2', 'i-3')).toEqual(['i-2 unused Target.InvalidState', 'i-3 unused Target.NotRegistered']);
  });

  test('an instance that is not there cannot be registered', async () => {
    const TargetGroupArn = await targetGroup();
    const register = elbv2.registerTargets({ TargetGroupArn, Targets: [{ Id: 'i-1' }, { Id: 'i-9' }] });
    expect(await codeOf(register)).toBe('InvalidTargetException');
    expect((await elbv2.describeTargetHealth({ TargetGroupArn })).TargetHealthDescriptions).toEqual([]);
  });
});

describe('listeners and rules', () => {
  test('HTTPS takes one certificate and a policy, HTTP neither', async () => {
    const LoadBalancerArn = await loadBalancer();
    const create = (Protocol: 'HTTP' | 'HTTPS', more: object) =>
      elbv2.createListener({ LoadBalancerArn, Protocol, Port: 443, DefaultActions: [FIXED], ...more });
    const Certificates = [{ CertificateArn: CERTIFICATE }];

    expect(await codeOf(create('HTTPS', {}))).toBe('ValidationError');
    expect(await codeOf(create('HTTP', { Certificates }))).toBe('ValidationError');
    expect(await codeOf(create('HTTPS', { Certificates, SslPolicy: 'mine' }))).toBe('SSLPolicyNotFoundException');
    const { Listeners } = await create('HTTPS', { Certificates });
    expect(Listeners).toMatchObject([{ Port: 443, SslPolicy: 'ELBSecurityPolicy-2016-08', Certificates }]);
    expect(await codeOf(create('HTTPS', { Certificates }))).toBe('DuplicateListenerException');
  });

  const refused: readonly [string, Action, string][] = [
    [
      'a redirect to itself',
      { Type: 'redirect', RedirectConfig: { StatusCode: 'HTTP_302' } },
      'InvalidLoadBalancerActionException',
    ],
    ['a target group that is not there', forward('arn:none'), 'TargetGroupNotFoundException'],
    ['a log-in', { Type: 'authenticate-oidc' }, 'ValidationError'],
    [
      'a body that the nodes cannot write',
      { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '503', MessageBody: 'a\nb' } },
      'ValidationError',
    ],
    [
      'a body of another type',
      { Type: 'fixed-response', FixedResponseConfig: { StatusCode: '503', ContentType: 'image/png' } },
      'ValidationError',
    ],
    [
      'several target groups',
      { Type: 'forward', ForwardConfig: { TargetGroups: [{ TargetGroupArn: 'a' }, { TargetGroupArn: 'b' }] } },
      'ValidationError',
    ],
  ];
  test.each(refused)('%s is refused', async (_, action, expected) => {
    expect(await codeOf(listener(await loadBalancer(), action))).toBe(expected);
    expect(told()?.listeners).toEqual([]);
  });

  test('rules come by priority, the default last', async () => {
    const ListenerArn = await listener(await loadBalancer(), REDIRECT);
    const rule = async (Priority: number, Value: string) => {
      const Conditions = [{ Field: 'path-pattern', Values: [Value] }];
      const { Rules } = await elbv2.createRule({ ListenerArn, Priority, Conditions, Actions: [FIXED] });
      return Rules?.[0]?.RuleArn ?? '';
    };
    const later = await rule(20, '/later');
    await rule(10, '/first');
    expect(await codeOf(rule(10, '/again'))).toBe('PriorityInUseException');
    const order = () => told()?.listeners[0]?.rules.map(({ conditions }) => conditions[0]?.values[0] ?? 'default');
    expect(order()).toEqual(['/first', '/later', 'default']);

    await elbv2.setRulePriorities({ RulePriorities: [{ RuleArn: later, Priority: 5 }] });
    await elbv2.modifyRule({ RuleArn: later, Conditions: [{ Field: 'path-pattern', Values: ['/now'] }] });
    expect(order()).toEqual(['/now', '/first', 'default']);
    expect((await elbv2.describeRules({ ListenerArn })).Rules?.map(({ Priority }) => Priority)).toEqual([
      '5',
      '10',
      'default',
    ]);
    await elbv2.deleteRule({ RuleArn: later });
    expect(order()).toEqual(['/first', 'default']);
  });

  test.each([['http-header'], ['query-string']])('conditions on %s are refused', async (Field) => {
    const ListenerArn = await listener(await loadBalancer(), REDIRECT);
    const create = elbv2.createRule({
      ListenerArn,
      Priority: 1,
      Conditions: [{ Field, Values: ['x'] }],
      Actions: [FIXED],
    });
    expect(await codeOf(create)).toBe('ValidationError');
  });

  test('a listener changes in place', async () => {
    const TargetGroupArn = await targetGroup();
    const ListenerArn = await listener(await loadBalancer(), REDIRECT);
    await elbv2.modifyListener({
      ListenerArn,
      Port: 8443,
      Protocol: 'HTTPS',
      Certificates: [{ CertificateArn: CERTIFICATE }],
      DefaultActions: [forward(TargetGroupArn)],
    });
    expect(told()?.listeners).toEqual([
      {
        port: 8443,
        protocol: 'HTTPS',
        rules: [{ conditions: [], action: { type: 'forward', targetGroupArn: TargetGroupArn } }],
      },
    ]);
    await elbv2.modifyListener({ ListenerArn, Port: 443 });
    expect((await elbv2.describeListeners({ ListenerArns: [ListenerArn] })).Listeners).toMatchObject([
      { Port: 443, Certificates: [{ CertificateArn: CERTIFICATE }] },
    ]);
  });
});

test('tags of everything that has an ARN', async () => {
  const group = await targetGroup();
  const owner = await loadBalancer();
  const all = [owner, group, await listener(owner, forward(group))];
  await elbv2.addTags({
    ResourceArns: all,
    Tags: [
      { Key: 'team', Value: 'a' },
      { Key: 'x', Value: 'y' },
    ],
  });
  await elbv2.removeTags({ ResourceArns: all, TagKeys: ['x'] });
  expect((await elbv2.describeTags({ ResourceArns: all })).TagDescriptions).toEqual(
    all.map((ResourceArn) => ({ ResourceArn, Tags: [{ Key: 'team', Value: 'a' }] })),
  );
});
