/** Rules, topics, alarms, dashboards and log groups of a stack, in front of the services themselves. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { createMonitoring, type Monitoring } from '../../../rehearsal/monitoring.ts';
import { type Answer, type StackHarness, startStacks, template } from './stack-harness.ts';

let endpoint: AwsEndpoint;
let monitoring: Monitoring;
let stacks: StackHarness;

beforeEach(async () => {
  monitoring = createMonitoring(() => endpoint.dispatcher);
  endpoint = await startAwsEndpoint({ services: monitoring.services });
  stacks = startStacks({ dispatcher: () => endpoint.dispatcher });
});
afterEach(async () => {
  await stacks.close();
  await monitoring.close();
  await endpoint.close();
});

const call = (service: string, action: string, input: object): Promise<Answer> =>
  endpoint.dispatcher.call(service, action, input);

type Resources = Parameters<typeof template>[0];

const ALARM = {
  Type: 'AWS::CloudWatch::Alarm',
  Namespace: 'proxyflip',
  MetricName: 'Findings',
  Statistic: 'Maximum',
  Period: '60',
  EvaluationPeriods: '1',
  Threshold: '0',
  ComparisonOperator: 'GreaterThanThreshold',
  TreatMissingData: 'breaching',
  AlarmActions: [{ Ref: 'Topic' }],
};
const RESOURCES = {
  Logs: { Type: 'AWS::Logs::LogGroup', RetentionInDays: '30' },
  Topic: {
    Type: 'AWS::SNS::Topic',
    DisplayName: 'Drift',
    Subscription: [{ Protocol: 'email', Endpoint: 'ops@example.com' }],
  },
  TopicPolicy: {
    Type: 'AWS::SNS::TopicPolicy',
    Topics: [{ Ref: 'Topic' }],
    PolicyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Principal: { Service: ['events.amazonaws.com', 'cloudwatch.amazonaws.com'] },
          Action: 'sns:Publish',
          Resource: { Ref: 'Topic' },
        },
      ],
    },
  },
  Rule: {
    Type: 'AWS::Events::Rule',
    EventPattern: { source: ['proxyflip'] },
    Targets: [{ Id: 'topic', Arn: { Ref: 'Topic' }, RetryPolicy: { MaximumRetryAttempts: '2' } }],
  },
  Alarm: ALARM,
  Board: {
    Type: 'AWS::CloudWatch::Dashboard',
    DashboardBody: '{"widgets":[{"type":"text","properties":{"markdown":"x"}}]}',
  },
};

test('they work, and go with the stack', async () => {
  expect(await stacks.create(template(RESOURCES))).toBe('CREATE_COMPLETE');
  const entry = { Source: 'proxyflip', DetailType: 'proxyflip drift', Detail: '{"status":"MODIFIED"}' };
  await call('events', 'PutEvents', { Entries: [entry] });
  await monitoring.events.settled();
  await monitoring.cloudWatch.evaluateAlarms();
  expect(monitoring.sns.messages.map(({ subject, from }) => [subject, from.split(':')[1]])).toEqual([
    [undefined, 'events.amazonaws.com'],
    [expect.stringMatching(/^ALARM: "web-Alarm-/), 'cloudwatch.amazonaws.com'],
  ]);

  expect(await stacks.delete()).toBe('DELETE_COMPLETE');
  expect(await call('events', 'ListRules', {})).toEqual({ Rules: [] });
  expect(await call('sns', 'ListTopics', {})).toEqual({ Topics: [] });
  expect(await call('monitoring', 'DescribeAlarms', {})).toMatchObject({ MetricAlarms: [] });
  expect(await call('monitoring', 'ListDashboards', {})).toEqual({ DashboardEntries: [] });
  expect(await call('logs', 'DescribeLogGroups', {})).toEqual({ logGroups: [] });
});

test('an update changes them in place, and takes away the targets and subscriptions that are gone', async () => {
  await stacks.create(template(RESOURCES));
  // One that is pending stays until it expires, as on AWS.
  const { Topics } = await call('sns', 'ListTopics', {});
  const subscribed = { ...Topics[0], Protocol: 'email', Endpoint: 'ops@example.com', ReturnSubscriptionArn: true };
  const { SubscriptionArn } = await call('sns', 'Subscribe', subscribed);
  await call('sns', 'ConfirmSubscription', { ...Topics[0], Token: monitoring.sns.confirmationToken(SubscriptionArn) });
  const schedule = { Type: 'AWS::Events::Rule', ScheduleExpression: 'rate(15 minutes)', State: 'DISABLED' };
  const changed = {
    ...RESOURCES,
    Topic: { Type: 'AWS::SNS::Topic', Subscription: [{ Protocol: 'email', Endpoint: 'dev@example.com' }] },
    Rule: schedule,
    Alarm: { ...ALARM, Threshold: 2 },
  };
  expect(await stacks.update(template(changed))).toBe('UPDATE_COMPLETE');
  const { Rules } = await call('events', 'ListRules', {});
  const { Targets } = await call('events', 'ListTargetsByRule', { Rule: Rules[0].Name });
  expect([Rules[0].ScheduleExpression, Rules[0].State, Targets]).toEqual(['rate(15 minutes)', 'DISABLED', []]);
  const { Subscriptions } = await call('sns', 'ListSubscriptions', {});
  expect(Subscriptions.map((each: Answer) => each.Endpoint)).toEqual(['dev@example.com']);
  expect((await call('monitoring', 'DescribeAlarms', {})).MetricAlarms[0].Threshold).toBe(2);
});

test('Ref and Fn::GetAtt as on AWS', async () => {
  const Outputs = {
    Logs: { Value: { 'Fn::GetAtt': 'Logs.Arn' } },
    Topic: { Value: { Ref: 'Topic' } },
    Rule: { Value: { 'Fn::GetAtt': 'Rule.Arn' } },
    Alarm: { Value: { 'Fn::GetAtt': 'Alarm.Arn' } },
  };
  await stacks.create(template(RESOURCES, { Outputs }));
  expect(await stacks.outputs()).toEqual({
    Logs: expect.stringMatching(/^arn:aws:logs:eu-central-1:111122223333:log-group:web-Logs-[A-Z2-7]{12}:\*$/),
    Topic: expect.stringMatching(/^arn:aws:sns:eu-central-1:111122223333:web-Topic-/),
    Rule: expect.stringMatching(/^arn:aws:events:eu-central-1:111122223333:rule\/web-Rule-/),
    Alarm: expect.stringMatching(/^arn:aws:cloudwatch:eu-central-1:111122223333:alarm:web-Alarm-/),
  });
});

describe('what is wrong fails the stack', () => {
  test.each<[string, Resources, RegExp]>([
    ['a property that there is not', { Rule: { ...RESOURCES.Rule, Schedule: 'x' } }, /extraneous key \[Schedule\]/],
    [
      'a rate in bad English',
      { Rule: { Type: 'AWS::Events::Rule', ScheduleExpression: 'rate(1 minutes)' } },
      /ScheduleExpression is not valid/,
    ],
    [
      'a target that is not there',
      { Rule: { ...RESOURCES.Rule, Targets: [{ Id: 'a', Arn: 'arn:aws:sqs:eu-central-1:111122223333:q' }] } },
      /functions and topics/,
    ],
    ['metric math', { Alarm: { ...ALARM, Metrics: [{ Id: 'm', Expression: '1' }] } }, /no metric math/],
    [
      'a dashboard that cannot be shown',
      { Board: { ...RESOURCES.Board, DashboardBody: '{"widgets":[{"type":"x"}]}' } },
      /validation error/,
    ],
    ['a retention that there is not', { Logs: { ...RESOURCES.Logs, RetentionInDays: 31 } }, /retentionInDays/],
  ])('%s', async (_what, changed, reason) => {
    expect(await stacks.create(template({ ...RESOURCES, ...changed }))).toBe('ROLLBACK_COMPLETE');
    expect(stacks.history({ reasons: true }).filter((line) => reason.test(line))).not.toEqual([]);
  });

  test.each<[string, Resources]>([
    ['a log group', { Logs: { Type: 'AWS::Logs::LogGroup', LogGroupName: 'fixed' } }],
    ['a topic', { Topic: { Type: 'AWS::SNS::Topic', TopicName: 'fixed' } }],
    ['a rule', { Rule: { Type: 'AWS::Events::Rule', Name: 'fixed', ScheduleExpression: 'rate(1 day)' } }],
    ['a dashboard', { Board: { ...RESOURCES.Board, DashboardName: 'fixed' } }],
    ['an alarm', { Alarm: { ...ALARM, AlarmName: 'fixed', AlarmActions: [] } }],
  ])('a name that is taken: %s', async (_what, resources) => {
    await stacks.create(template(resources));
    await stacks.call('CreateStack', { StackName: 'other', TemplateBody: JSON.stringify(template(resources)) });
    expect(await stacks.service.settled('other')).toBe('ROLLBACK_COMPLETE');
  });
});
