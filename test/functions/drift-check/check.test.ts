/** One stretch of a check: what is asked for, what is not, and what the answers come to. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { instancesOf } from '../../../functions/drift-check/check.ts';
import type { Severity } from '../../../functions/drift-check/finding.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import { type FakeAws, FakeError, type FakeLoadBalancer, otherPolicy, proxyPolicy, tcp } from '../fake-aws.ts';
import { Driver, tell } from './driver.ts';
import { plainReceiver, receiver, state } from './situations.ts';

let driver: Driver;
let aws: FakeAws;
let web: FakeLoadBalancer;

beforeEach(() => {
  driver = new Driver();
  ({ aws } = driver);
  web = driver.addSwitched('web');
});

const check = () => driver.check();
const findings = async () => (await check()).loadBalancers[0]?.findings;
const why = async () => (await check()).loadBalancers.map((each) => [each.status, each.why]);

test('a load balancer that is as it was set takes these calls', async () => {
  await check();

  expect(aws.calls.map(({ action, input }) => [action, input])).toEqual([
    ['GetParametersByPath', { Path: '/proxyflip', Recursive: false, MaxResults: 10 }],
    ['GetParametersByPath', { Path: '/proxyflip/drift', Recursive: true, MaxResults: 10 }],
    ['DescribeLoadBalancers', { PageSize: 400 }],
    ['DescribeTags', { LoadBalancerNames: ['web'] }],
    ['DescribeLoadBalancerPolicies', { LoadBalancerName: 'web' }],
    ['DescribeInstanceInformation', { Filters: [{ Key: 'InstanceIds', Values: ['i-web'] }], MaxResults: 50 }],
    ['SendCommand', expect.objectContaining({ InstanceIds: ['i-web'] })],
    ['ListCommandInvocations', { CommandId: 'command-1', Details: true, MaxResults: 50 }],
    [
      'PutParameter',
      {
        Name: '/proxyflip/drift/last-run',
        Value: '{"version":1,"at":"2026-11-21T12:00:00.000Z"}',
        Type: 'String',
        Overwrite: true,
      },
    ],
  ]);
});

test('an instance of several load balancers is asked once', async () => {
  driver.addSwitched('web-2').instanceIds = ['i-web'];
  await check();

  expect(driver.inputs('SendCommand').map(({ InstanceIds }) => InstanceIds)).toEqual([['i-web']]);
});

test('instances come by name, however the service lists them', () => {
  expect(instancesOf({ Instances: [{ InstanceId: 'i-b' }, { InstanceId: 'i-c' }, { InstanceId: 'i-a' }] })).toEqual([
    'i-a',
    'i-b',
    'i-c',
  ]);
});

describe('a run of the switch', () => {
  test('that has set everything and is about to end does not keep its load balancer from being checked', async () => {
    aws.executions.set('run-1', { status: 'InProgress' });

    expect(await why()).toEqual([['IN_SYNC', '']]);
    expect(driver.count('GetAutomationExecution')).toBe(0);
  });

  test('that has not is waited for, and said which', async () => {
    driver.remember('/proxyflip/web', state({ phase: 'policies', direction: 'disable' }));
    aws.executions.set('run-1', { status: 'InProgress' });

    expect(await why()).toEqual([['NOT_CHECKED', 'execution run-1 is working on it (disable)']]);
  });

  test.each<[string, () => void]>([
    ['began', () => driver.remember('/proxyflip/web', state({ phase: 'started', executionId: 'run-2' }))],
    ['ended by forgetting the load balancer', () => aws.parameters.delete('/proxyflip/web')],
  ])('that %s while the check read explains what was found', async (_desc, meanwhile) => {
    web.backend = {};
    aws.meanwhile = async (action) => {
      if (action === 'DescribeLoadBalancerPolicies') meanwhile();
    };

    expect(await why()).toEqual([['NOT_CHECKED', 'a switch was at work on it during the check']]);
    expect(aws.events).toEqual([]);
  });
});

describe('instances', () => {
  beforeEach(() => {
    web.instanceIds.push(aws.addInstance('i-2'));
  });

  test('that cannot be asked are counted', async () => {
    aws.addInstance('i-2', { pingStatus: 'ConnectionLost' });
    await check();

    expect(JSON.parse(driver.printed.at(-1) ?? '')).toMatchObject({ InstancesUnreachable: 1 });
  });

  test('that cannot be asked leave no doubt about what was seen to differ', async () => {
    aws.addInstance('i-2', { pingStatus: 'ConnectionLost' });
    web.backend = { 80: [POLICY_NAME] };

    expect(tell(await check())).toEqual([['web', 'MODIFIED', ['policy-missing', 'receiver-unreachable']]]);
  });

  test('are not asked whether they serve where nothing was found at one', async () => {
    web.backend = { 80: [POLICY_NAME] };
    await check();

    expect(driver.count('DescribeInstanceHealth')).toBe(0);
  });

  test('that serve nobody are told from those that do, whatever else was found', async () => {
    web.backend = { 80: [POLICY_NAME] };
    aws.answersTo = (id) => (id === 'i-2' ? receiver({ health: 503 }) : receiver());
    aws.health.set('i-2', { State: 'OutOfService' });

    expect((await findings())?.map(({ kind, where, severity }) => [kind, where, severity])).toEqual([
      ['policy-missing', 'port 81', 'EVERY_REQUEST_FAILS'],
      ['receiver-not-ready', 'i-2', 'NEXT_CHANGE_FAILS'],
    ]);
    expect(driver.inputs('DescribeInstanceHealth')).toEqual([{ LoadBalancerName: 'web' }]);
  });
});

test('who writes the policies is seen by the tags', async () => {
  web.tags = { 'kubernetes.io/cluster/web': 'owned' };
  web.backend = {};

  expect((await findings())?.map(({ where, cause }) => [where, cause])).toEqual([
    ['port 80', 'perhaps Kubernetes (tag kubernetes.io/cluster/web=owned)'],
    ['port 81', 'perhaps Kubernetes (tag kubernetes.io/cluster/web=owned)'],
  ]);
});

describe('another load balancer with the same instances', () => {
  const policiesReadOf = () => driver.inputs('DescribeLoadBalancerPolicies').map((input) => input.LoadBalancerName);

  const shared = (port: number, ...instanceIds: string[]) => ({
    kind: 'instance-shared',
    severity: 'SOME_REQUESTS_FAIL',
    where: `port ${port}, from other`,
    expected: 'no other load balancer sends plain connections there',
    observed: `other does, to ${instanceIds.join(', ')}`,
    cause: 'other has the instances too, and no PROXY protocol',
    mend: `aws elb deregister-instances-from-load-balancer --load-balancer-name other --instances ${instanceIds.join(' ')}`,
  });

  const CASES: readonly [string, Partial<FakeLoadBalancer>, object[], string[]][] = [
    ['that has no policy at all', { listeners: [tcp(8080, 80)] }, [shared(80, 'i-web')], ['web']],
    [
      'that has policies of another type there',
      { listeners: [tcp(8080, 80)], policies: [otherPolicy('auth')], backend: { 80: ['auth'] } },
      [shared(80, 'i-web')],
      ['web', 'other'],
    ],
    [
      'that writes the PROXY line at one port of two',
      {
        listeners: [tcp(8080, 80), tcp(8081, 81)],
        policies: [otherPolicy('auth'), proxyPolicy('theirs')],
        backend: { 81: ['auth', 'theirs'] },
      },
      [shared(80, 'i-web')],
      ['web', 'other'],
    ],
    [
      'that writes the PROXY line too',
      { listeners: [tcp(8080, 80)], policies: [proxyPolicy('theirs')], backend: { 80: ['theirs'] } },
      [],
      ['web', 'other'],
    ],
    ['that feeds a port that was not switched', { listeners: [tcp(8080, 8080)] }, [], ['web']],
    [
      'that has a policy where none was switched',
      { listeners: [tcp(8080, 8080)], policies: [proxyPolicy('theirs')], backend: { 8080: ['theirs'] } },
      [],
      ['web'],
    ],
    ['that has other instances', { listeners: [tcp(8080, 80)], instanceIds: ['i-else'] }, [], ['web']],
    [
      'that has two of them, and one more',
      { listeners: [tcp(8080, 80)], instanceIds: ['i-web-2', 'i-else', 'i-web'] },
      [shared(80, 'i-web', 'i-web-2')],
      ['web'],
    ],
  ];

  test.each(CASES)('%s', async (_desc, other, found, read) => {
    web.instanceIds.push(aws.addInstance('i-web-2'));
    aws.addLoadBalancer('other', { instanceIds: ['i-web'], ...other });

    expect(await findings()).toEqual(
      found.map((each) => ({ ...each, since: expect.any(String), text: expect.any(String) })),
    );
    expect(policiesReadOf()).toEqual(read);
  });

  test('that is deleted while the check reads sends nothing any more', async () => {
    const listeners = [tcp(8080, 80)];
    aws.addLoadBalancer('other', { instanceIds: ['i-web'], listeners, backend: { 80: ['theirs'] } });
    aws.meanwhile = async (action) => {
      if (action === 'DescribeLoadBalancerPolicies') aws.loadBalancers.delete('other');
    };

    expect(await why()).toEqual([['IN_SYNC', '']]);
  });

  test('is not asked for its policies where ours was switched off', async () => {
    driver.remember('/proxyflip/web', state({ direction: 'disable', mode: 'plain' }));
    web.backend = {};
    aws.answersTo = () => plainReceiver();
    const theirs = { policies: [proxyPolicy('theirs')], backend: { 80: ['theirs'] } };
    aws.addLoadBalancer('other', { instanceIds: ['i-web'], listeners: [tcp(8080, 80)], ...theirs });

    expect(await why()).toEqual([['IN_SYNC', '']]);
    expect(policiesReadOf()).toEqual(['web']);
  });
});

describe('what nginx dropped', () => {
  /** Of connections from outside the load balancer's subnets. */
  const dropped = (at: number) => (id: string) =>
    id === 'i-web'
      ? receiver({ log: { ...receiver().log, broken: 3, lastBroken: at / 1000, brokenFrom: ['10.0.9.9'] } })
      : receiver();
  const kinds = async () => tell(await check())[0]?.[2];
  const MINUTE = 60_000;

  test.each<[Severity, () => void]>([
    [
      'EVERY_REQUEST_FAILS',
      () => {
        web.backend = {};
      },
    ],
    [
      'SOME_REQUESTS_FAIL',
      () => {
        web.instanceIds.push(aws.addInstance('i-2'));
        aws.answersTo = (id) => (id === 'i-2' ? receiver({ live: { 80: 'plain', 81: 'plain' } }) : receiver());
      },
    ],
  ])('while it was %s is explained by that, whenever between two checks it was mended', async (severity, fail) => {
    fail();
    expect((await findings())?.[0]?.severity).toBe(severity);
    web.backend = { 80: [POLICY_NAME], 81: [POLICY_NAME] };
    aws.now += 15 * MINUTE;
    aws.answersTo = dropped(aws.now - 3 * MINUTE);
    expect(await kinds()).toEqual([]);
    aws.now += 15 * MINUTE;
    aws.answersTo = dropped(aws.now - 3 * MINUTE);
    expect(await kinds()).toEqual(['broken-headers']);
  });

  test('is not explained by what fails nobody', async () => {
    web.backend = { 80: [POLICY_NAME], 81: [POLICY_NAME], 90: [POLICY_NAME] };
    expect(await kinds()).toEqual(['policy-without-listener']);
    aws.now += 15 * MINUTE;
    aws.answersTo = dropped(aws.now - 3 * MINUTE);

    expect(await kinds()).toEqual(['broken-headers', 'policy-without-listener']);
  });
});

describe('the API gives no more', () => {
  const throttle = () => {
    web.instanceIds.push(aws.addInstance('i-2'));
    aws.answersTo = (id) => (id === 'i-2' ? receiver({ health: 503 }) : receiver());
    aws.fault = (action) => {
      if (action === 'DescribeInstanceHealth') throw new FakeError('Throttling');
    };
  };

  test('behind the first reading, too: the load balancer is left to the next invocation', async () => {
    throttle();
    const { Payload, ...answer } = await check();

    const told = {
      status: 'NOT_CHECKED',
      summary: '1 left to be checked: the check goes on by itself, from the first.',
      report: '',
    };
    expect(answer).toEqual({ ...told, loadBalancers: [] });
    expect(Payload).toEqual(told);
  });

  test('and who asked for the one load balancer is told so', async () => {
    throttle();
    await expect(driver.check({ loadBalancerName: 'web' })).rejects.toThrow('Throttling');
    expect(aws.events).toEqual([]);
  });
});
