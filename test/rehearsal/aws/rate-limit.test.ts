import { ElasticLoadBalancing } from '@aws-sdk/client-elastic-load-balancing';
import { SSM } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import type { Call } from '../../../rehearsal/aws/faults.ts';
import { createRateLimit } from '../../../rehearsal/aws/rate-limit.ts';
import { createPaperAccount } from '../../../rehearsal/paper-account.ts';

const call = (action: string, protocol: Call['protocol'] = 'awsJson1_1'): Call => ({
  service: 'any',
  protocol,
  action,
  input: {},
  accessKeyId: 'a',
  requestId: 'r',
});

describe('a bucket', () => {
  test('takes a second’s worth at once, and then so many a second', async () => {
    let now = 0;
    const limit = createRateLimit({ callsPerSecond: 10, now: () => now });
    const taken = async (count: number) => {
      let passed = 0;
      for (let each = 0; each < count; each += 1)
        passed += (await limit.before?.(call('GetParameter'))) === undefined ? 1 : 0;
      return passed;
    };
    expect(await taken(20)).toBe(10);
    now += 500;
    expect(await taken(20)).toBe(5);
    now += 60_000;
    expect(await taken(20)).toBe(10);
    expect(limit.refused).toBe(35);
  });

  test.each([
    ['awsQuery', 'Throttling'],
    ['awsJson1_1', 'ThrottlingException'],
    ['ec2Query', 'RequestLimitExceeded'],
    ['restJson1', 'TooManyRequestsException'],
  ] as const)('of %s is answered %s', async (protocol, code) => {
    const limit = createRateLimit({ callsPerSecond: 1, now: () => 0 });
    await limit.before?.(call('Describe', protocol));
    expect(await limit.before?.(call('Describe', protocol))).toMatchObject({
      code,
      message: expect.stringMatching(/exceeded/i),
    });
  });

  test('by action, and some not at all', async () => {
    const bucketOf = ({ action }: Call) => (action.startsWith('Describe') ? action : undefined);
    const limit = createRateLimit({ callsPerSecond: 1, now: () => 0, bucketOf });
    const actions = ['DescribeA', 'DescribeB', 'DescribeA', 'Put', 'Put'];
    const verdicts = await Promise.all(actions.map((action) => limit.before?.(call(action))));
    expect(verdicts.map((verdict) => verdict === undefined)).toEqual([true, true, false, true, true]);
  });
});

test('an account of paper: load balancers, policies, states and instances that answer, within a rate', async () => {
  await using account = await createPaperAccount({
    loadBalancers: 30,
    instances: 2,
    state: (name, index) => (index < 25 ? JSON.stringify({ name }) : undefined),
    answer: ({ instanceId }) => `all is well on ${instanceId}\n`,
    callsPerSecond: 20,
  });
  const client = {
    endpoint: account.endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 'any' },
  };
  const [elb, ssm] = [new ElasticLoadBalancing(client), new SSM(client)];

  const { LoadBalancerDescriptions = [] } = await elb.describeLoadBalancers({});
  const names = LoadBalancerDescriptions.map(({ LoadBalancerName = '' }) => LoadBalancerName);
  expect(LoadBalancerDescriptions.filter((each) => each.BackendServerDescriptions?.length === 2)).toHaveLength(25);
  await expect(elb.describeTags({ LoadBalancerNames: names.slice(0, 21) })).rejects.toThrow('between 1 and 20');
  expect((await ssm.getParametersByPath({ Path: '/proxyflip' })).Parameters).toHaveLength(10);

  const instanceId = LoadBalancerDescriptions[7]?.Instances?.[0]?.InstanceId ?? '';
  await ssm.createDocument({
    Name: 'ask',
    DocumentType: 'Command',
    DocumentFormat: 'JSON',
    Content: JSON.stringify({
      schemaVersion: '2.2',
      description: 'ask',
      mainSteps: [{ action: 'aws:runShellScript', name: 'ask', inputs: { runCommand: ['true'] } }],
    }),
  });
  const { Command } = await ssm.sendCommand({ DocumentName: 'ask', InstanceIds: [instanceId] });
  await new Promise((resolve) => setTimeout(resolve, 200));
  const { CommandInvocations } = await ssm.listCommandInvocations({ CommandId: Command?.CommandId, Details: true });
  expect(CommandInvocations?.[0]?.CommandPlugins?.[0]?.Output).toContain(`all is well on ${instanceId}`);

  // The SDK goes on by itself after a refusal: all are answered, and some were throttled on the way.
  await Promise.all(names.map((name) => elb.describeLoadBalancerPolicies({ LoadBalancerName: name })));
  expect(account.rateLimit?.refused).toBeGreaterThan(0);
  expect(account.calls().filter(({ errorCode }) => errorCode === 'Throttling').length).toBe(account.rateLimit?.refused);
});
