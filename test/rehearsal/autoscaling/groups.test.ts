/** Groups through the SDK's own client, on an account whose machines are only written down. */
import { AutoScaling } from '@aws-sdk/client-auto-scaling';
import { EC2 } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import { ElasticLoadBalancingV2 } from '@aws-sdk/client-elastic-load-balancing-v2';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { chooseToEnd, type GroupInstance } from '../../../rehearsal/autoscaling/groups.ts';
import { PUBLIC_PARAMETERS } from '../../../rehearsal/ec2/images.ts';
import { clientSettings } from '../clients.ts';
import { type FleetAccount, startFleetAccount } from '../cloudformation/fleet-account.ts';

const GROUP = 'web';
const LOAD_BALANCER = 'shop';
const IMAGE = [...PUBLIC_PARAMETERS].find(([name]) => name.endsWith('x86_64'))?.[1];

let account: FleetAccount;
let autoScaling: AutoScaling;
let ec2: EC2;
let elb: ElasticLoadBalancing;
let launchTemplateId: string;
let subnetIds: string[];

const create = (more: Record<string, unknown> = {}) =>
  autoScaling.createAutoScalingGroup({
    AutoScalingGroupName: GROUP,
    MinSize: 1,
    MaxSize: 4,
    DesiredCapacity: 2,
    LaunchTemplate: { LaunchTemplateId: launchTemplateId, Version: '1' },
    VPCZoneIdentifier: subnetIds.join(','),
    LoadBalancerNames: [LOAD_BALANCER],
    Tags: [
      { Key: 'fleet', Value: 'web', PropagateAtLaunch: true },
      { Key: 'note', Value: 'own', PropagateAtLaunch: false },
    ],
    ...more,
  });

const group = async () =>
  (await autoScaling.describeAutoScalingGroups({ AutoScalingGroupNames: [GROUP] })).AutoScalingGroups?.[0];
const registered = async () =>
  (await elb.describeLoadBalancers({ LoadBalancerNames: [LOAD_BALANCER] })).LoadBalancerDescriptions?.[0]?.Instances
    ?.length;

/** Until the group has as many, all of them in service. */
async function settled(count: number) {
  for (const limit = Date.now() + 5_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
    const instances = (await group())?.Instances ?? [];
    if (instances.length === count && instances.every(({ LifecycleState }) => LifecycleState === 'InService'))
      return instances;
    if (Date.now() > limit) throw new Error(`not ${count} in service but ${JSON.stringify(instances)}`);
  }
}

const message = (promise: Promise<unknown>) =>
  promise.then(
    () => 'no error',
    (error: Error) => `${error.name}: ${error.message}`,
  );

describe('a group', () => {
  beforeEach(async () => {
    account = await startFleetAccount();
    const settings = clientSettings(account.endpoint);
    autoScaling = new AutoScaling(settings);
    ec2 = new EC2(settings);
    elb = new ElasticLoadBalancing(settings);
    const { Vpc } = await ec2.createVpc({ CidrBlock: '10.0.0.0/16' });
    subnetIds = [];
    for (const index of [0, 1]) {
      const { Subnet } = await ec2.createSubnet({
        VpcId: Vpc?.VpcId,
        CidrBlock: `10.0.${index + 1}.0/24`,
        AvailabilityZone: `eu-central-1${'ab'[index]}`,
      });
      subnetIds.push(Subnet?.SubnetId ?? '');
    }
    await elb.createLoadBalancer({
      LoadBalancerName: LOAD_BALANCER,
      Subnets: subnetIds,
      Listeners: [{ Protocol: 'TCP', LoadBalancerPort: 80, InstanceProtocol: 'TCP', InstancePort: 80 }],
    });
    const { LaunchTemplate } = await ec2.createLaunchTemplate({
      LaunchTemplateName: 'web',
      LaunchTemplateData: { ImageId: IMAGE, InstanceType: 't3.small' },
    });
    launchTemplateId = LaunchTemplate?.LaunchTemplateId ?? '';
  });
  afterEach(() => account.close());

  test('launches as many as it is to have, in every zone, registered, with the tags that are to be theirs', async () => {
    await create();
    const instances = await settled(2);

    expect(new Set(instances.map(({ AvailabilityZone }) => AvailabilityZone)).size).toBe(2);
    expect(await registered()).toBe(2);
    expect([...account.world.instances.values()].map(({ tags }) => tags)).toEqual(
      [0, 1].map(() => ({ fleet: 'web', 'aws:autoscaling:groupName': GROUP })),
    );
  });

  test('scales out and in; what is ended is out of the load balancer first', async () => {
    await create();
    await settled(2);
    await autoScaling.setDesiredCapacity({ AutoScalingGroupName: GROUP, DesiredCapacity: 4 });
    await settled(4);
    await autoScaling.setDesiredCapacity({ AutoScalingGroupName: GROUP, DesiredCapacity: 1 });
    await settled(1);

    expect(await registered()).toBe(1);
    expect(account.world.instances.size).toBe(1);
    const calls = account.endpoint.dispatcher.calls.map(({ action }) => action);
    expect(calls.indexOf('DeregisterInstancesFromLoadBalancer')).toBeLessThan(calls.indexOf('TerminateInstances'));
  });

  test.each([
    { decrement: true, left: 1 },
    { decrement: false, left: 2 },
  ])('one that is ended by name is replaced, or not ($decrement)', async ({ decrement, left }) => {
    await create();
    const [first] = await settled(2);
    await autoScaling.terminateInstanceInAutoScalingGroup({
      InstanceId: first?.InstanceId,
      ShouldDecrementDesiredCapacity: decrement,
    });
    const instances = await settled(left);
    expect(instances.map(({ InstanceId }) => InstanceId)).not.toContain(first?.InstanceId);
  });

  test('one that somebody else has ended is replaced', async () => {
    await create({ DesiredCapacity: 1 });
    const [first] = await settled(1);
    await ec2.terminateInstances({ InstanceIds: [first?.InstanceId ?? ''] });
    for (const limit = Date.now() + 4_000; (await group())?.Instances?.[0]?.InstanceId === first?.InstanceId; ) {
      if (Date.now() > limit) throw new Error('it was not noticed');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await settled(1);
  });

  describe('with a target group', () => {
    let targetGroupArn: string;
    beforeEach(async () => {
      const elbv2 = new ElasticLoadBalancingV2(clientSettings(account.endpoint));
      const { TargetGroups } = await elbv2.createTargetGroup({
        Name: 'web',
        Protocol: 'HTTP',
        Port: 81,
        VpcId: 'vpc-1',
      });
      targetGroupArn = TargetGroups?.[0]?.TargetGroupArn ?? '';
      const { LoadBalancers } = await elbv2.createLoadBalancer({ Name: 'web', Subnets: subnetIds });
      await elbv2.createListener({
        LoadBalancerArn: LoadBalancers?.[0]?.LoadBalancerArn,
        Protocol: 'HTTP',
        Port: 80,
        DefaultActions: [{ Type: 'forward', TargetGroupArn: targetGroupArn }],
      });
    });
    const targets = () => [...account.albs.configurations.values()][0]?.targetGroups[0]?.targets ?? [];

    test('instances are registered with it from the beginning, and deregistered before they are ended', async () => {
      await create({ TargetGroupARNs: [targetGroupArn] });
      await settled(2);
      expect(targets().map(({ port }) => port)).toEqual([81, 81]);
      expect((await group())?.TargetGroupARNs).toEqual([targetGroupArn]);
      await autoScaling.setDesiredCapacity({ AutoScalingGroupName: GROUP, DesiredCapacity: 1 });
      await settled(1);
      expect(targets()).toHaveLength(1);
      const calls = account.endpoint.dispatcher.calls.map(({ action }) => action);
      expect(calls.indexOf('DeregisterTargets')).toBeLessThan(calls.indexOf('TerminateInstances'));
    });

    test('one that is attached gets the instances there are, one that is detached loses them; they go on running', async () => {
      await create();
      await settled(2);
      const named = { AutoScalingGroupName: GROUP, TargetGroupARNs: [targetGroupArn] };
      await autoScaling.attachLoadBalancerTargetGroups(named);
      await autoScaling.attachLoadBalancerTargetGroups(named);
      expect(targets()).toHaveLength(2);
      expect(
        (await autoScaling.describeLoadBalancerTargetGroups({ AutoScalingGroupName: GROUP })).LoadBalancerTargetGroups,
      ).toEqual([{ LoadBalancerTargetGroupARN: targetGroupArn, State: 'InService' }]);
      await autoScaling.detachLoadBalancers({ AutoScalingGroupName: GROUP, LoadBalancerNames: [LOAD_BALANCER] });
      expect([await registered(), targets().length]).toEqual([0, 2]);
      await autoScaling.detachLoadBalancerTargetGroups(named);
      expect([targets().length, account.world.instances.size]).toEqual([0, 2]);
      expect((await group())?.TargetGroupARNs).toEqual([]);
      await autoScaling.attachLoadBalancers({ AutoScalingGroupName: GROUP, LoadBalancerNames: [LOAD_BALANCER] });
      expect(await registered()).toBe(2);
    });

    test('a target group that is not there is refused, and the group stays as it was', async () => {
      await create();
      await settled(2);
      const arn = `${targetGroupArn}0`;
      const attach = autoScaling.attachLoadBalancerTargetGroups({
        AutoScalingGroupName: GROUP,
        TargetGroupARNs: [arn],
      });
      expect(await message(attach)).toMatch(/^ValidationError.*not found/);
      expect((await group())?.TargetGroupARNs).toEqual([]);
    });

    test.each([
      ['ELB', 0, true],
      ['ELB', 600, false],
      ['EC2', 0, false],
    ])(
      'by %s, %d s after its launch, one that the target group finds unhealthy is replaced: %s',
      async (type, grace, isReplaced) => {
        await create({
          DesiredCapacity: 1,
          TargetGroupARNs: [targetGroupArn],
          HealthCheckType: type,
          HealthCheckGracePeriod: grace,
        });
        const [first] = await settled(1);
        const failing = { instanceId: first?.InstanceId ?? '', port: 81, targetGroupArn, description: undefined };
        account.albs.healthSeen.push({ ...failing, state: 'unhealthy', reason: 'Target.Timeout' });
        // A second look comes after 2 s; what has been ended is drained, so it has to be gone from the health for that.
        await new Promise((resolve) => setTimeout(resolve, 2_800));
        account.albs.healthSeen.length = 0;
        const [now] = await settled(1);
        expect(now?.InstanceId !== first?.InstanceId).toBe(isReplaced);
      },
    );
  });

  test('says why a launch failed', async () => {
    account.refuseLaunches = 'there is no capacity';
    await create({ DesiredCapacity: 1 });
    for (
      const limit = Date.now() + 2_000;
      Date.now() < limit;
      await new Promise((resolve) => setTimeout(resolve, 20))
    ) {
      const { Activities = [] } = await autoScaling.describeScalingActivities({ AutoScalingGroupName: GROUP });
      if (Activities[0]?.StatusCode === 'Failed') {
        expect(Activities[0].StatusMessage).toContain('there is no capacity');
        return;
      }
    }
    throw new Error('no failed activity');
  });

  test('is looked up by its instances, as a gate does', async () => {
    await create();
    const [first] = await settled(2);
    const ids = [first?.InstanceId ?? '', 'i-00000000000000000'];
    const { AutoScalingInstances } = await autoScaling.describeAutoScalingInstances({ InstanceIds: ids });
    expect(AutoScalingInstances).toMatchObject([{ InstanceId: first?.InstanceId, AutoScalingGroupName: GROUP }]);
    expect(await autoScaling.describeLifecycleHooks({ AutoScalingGroupName: GROUP })).toMatchObject({
      LifecycleHooks: [],
    });
  });

  const refusals: readonly [desc: string, run: () => Promise<unknown>, expected: RegExp][] = [
    [
      'above its most',
      () => autoScaling.setDesiredCapacity({ AutoScalingGroupName: GROUP, DesiredCapacity: 9 }),
      /^ValidationError.*above max value 4/,
    ],
    [
      'below its least',
      () => autoScaling.setDesiredCapacity({ AutoScalingGroupName: GROUP, DesiredCapacity: 0 }),
      /^ValidationError.*below min value 1/,
    ],
    ['a name twice', () => create(), /^AlreadyExists/],
    [
      'deleted with instances',
      () => autoScaling.deleteAutoScalingGroup({ AutoScalingGroupName: GROUP }),
      /^ResourceInUse/,
    ],
    [
      'an input that is not there',
      () => create({ AutoScalingGroupName: 'b', CapacityRebalance: true }),
      /CapacityRebalance is not supported/,
    ],
    [
      'a judgement by somebody else',
      () => create({ AutoScalingGroupName: 'b', HealthCheckType: 'VPC_LATTICE' }),
      /HealthCheckType VPC_LATTICE is not supported/,
    ],
    [
      'a hook',
      () => autoScaling.putLifecycleHook({ AutoScalingGroupName: GROUP, LifecycleHookName: 'h' }),
      /^InvalidAction/,
    ],
    [
      'a group that is not there',
      () => autoScaling.setDesiredCapacity({ AutoScalingGroupName: 'no', DesiredCapacity: 1 }),
      /^ValidationError/,
    ],
  ];
  test.each(refusals)('%s is refused', async (_, run, expected) => {
    await create();
    await settled(2);
    expect(await message(run())).toMatch(expected);
  });
});

describe('who is ended on a scale-in', () => {
  const instance = (instanceId: string, zone: string, version: number, age: number): GroupInstance => ({
    instanceId,
    availabilityZone: zone,
    subnetId: zone,
    launchTemplateVersion: String(version),
    launchedAt: new Date(1_000_000 - age),
    lifecycleState: 'InService',
    isHealthy: true,
  });
  test.each([
    [
      'of the zone that has the most',
      [instance('a', 'x', 1, 9), instance('b', 'y', 1, 1), instance('c', 'y', 1, 2)],
      1,
      ['c'],
    ],
    ['the one with the oldest template', [instance('a', 'x', 2, 9), instance('b', 'x', 1, 1)], 1, ['b']],
    ['the oldest', [instance('a', 'x', 1, 1), instance('b', 'x', 1, 9)], 1, ['b']],
    [
      'once zones are in balance, the oldest of all',
      [instance('a', 'x', 1, 9), instance('b', 'x', 1, 8), instance('c', 'y', 1, 9)],
      2,
      ['a', 'c'],
    ],
    ['nobody', [instance('a', 'x', 1, 9)], 0, []],
  ] as const)('%s', (_, instances, count, expected) => {
    expect(chooseToEnd(instances, count).map(({ instanceId }) => instanceId)).toEqual(expected);
  });
});
