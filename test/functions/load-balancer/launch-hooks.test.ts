/** Whose instances the load balancer has, and whether new ones are held back until they are ready. */
import type { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { expect, test } from '@jest/globals';
import { describeScalingGroups } from '../../../functions/load-balancer/launch-hooks.ts';
import { FakeAws, FakeError } from '../fake-aws.ts';

const LAUNCHING = 'autoscaling:EC2_INSTANCE_LAUNCHING';
const TERMINATING = 'autoscaling:EC2_INSTANCE_TERMINATING';
const asked = (aws: FakeAws) => aws.calls.map(({ action, input }) => ({ [action]: input }));

test('the groups of the instances are told by name, each with whether it has a hook for launching', async () => {
  const aws = new FakeAws();
  aws.scalingGroups.set('green', { instanceIds: ['i-2', 'i-3'], hooks: [TERMINATING, LAUNCHING] });
  aws.scalingGroups.set('blue', { instanceIds: ['i-1'], hooks: [TERMINATING] });
  aws.scalingGroups.set('red', { instanceIds: ['i-8'], hooks: [LAUNCHING] });

  expect(await describeScalingGroups(aws.autoScaling, ['i-1', 'i-2', 'i-3', 'i-9'])).toStrictEqual([
    { name: 'blue', hasLaunchHook: false },
    { name: 'green', hasLaunchHook: true },
  ]);
  expect(asked(aws)).toEqual([
    { DescribeAutoScalingInstances: { InstanceIds: ['i-1', 'i-2', 'i-3', 'i-9'] } },
    { DescribeLifecycleHooks: { AutoScalingGroupName: 'blue' } },
    { DescribeLifecycleHooks: { AutoScalingGroupName: 'green' } },
  ]);
});

test('instances are asked about by fifty', async () => {
  const aws = new FakeAws();
  const ids = Array.from({ length: 100 }, (_, index) => `i-${index}`);
  aws.scalingGroups.set('blue', { instanceIds: ['i-99'], hooks: [] });

  expect(await describeScalingGroups(aws.autoScaling, ids)).toStrictEqual([{ name: 'blue', hasLaunchHook: false }]);
  expect(asked(aws)).toEqual([
    { DescribeAutoScalingInstances: { InstanceIds: ids.slice(0, 50) } },
    { DescribeAutoScalingInstances: { InstanceIds: ids.slice(50) } },
    { DescribeLifecycleHooks: { AutoScalingGroupName: 'blue' } },
  ]);
});

test('an answer without lists is no group; one of a group without a list, no hook', async () => {
  const answers = [{}, { AutoScalingInstances: [{ AutoScalingGroupName: 'blue' }] }, {}];
  const client = { send: async () => answers.shift() } as unknown as AutoScalingClient;

  expect(await describeScalingGroups(client, ['i-1'])).toStrictEqual([]);
  expect(await describeScalingGroups(client, ['i-1'])).toStrictEqual([{ name: 'blue', hasLaunchHook: false }]);
});

test('a call that fails leaves them unknown, with why: a warning is not worth a run', async () => {
  const aws = new FakeAws();
  aws.fault = () => {
    throw new FakeError('AccessDenied');
  };

  expect(await describeScalingGroups(aws.autoScaling, ['i-1'])).toStrictEqual({ unknown: 'fake AccessDenied' });
});
