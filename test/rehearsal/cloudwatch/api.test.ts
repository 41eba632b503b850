/** CloudWatch and SNS by the SDK's clients: from a log line to a message on a topic. */
import { CloudWatch, type PutMetricAlarmCommandInput } from '@aws-sdk/client-cloudwatch';
import { SNS } from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { type CloudWatchService, createCloudWatchService } from '../../../rehearsal/cloudwatch/service.ts';
import { createSnsService, type SnsService } from '../../../rehearsal/sns/service.ts';
import { clientSettings, codeOf } from '../clients.ts';

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 21, 8);

let now: number;
let endpoint: AwsEndpoint;
let service: CloudWatchService;
let sns: SnsService;
let cloudWatch: CloudWatch;
let topics: SNS;

beforeEach(async () => {
  now = START;
  const options = { dispatcher: () => endpoint.dispatcher, now: () => now };
  service = createCloudWatchService({ ...options, evaluateEveryMs: 0 });
  sns = createSnsService(options);
  endpoint = await startAwsEndpoint({ services: [service, sns] });
  const configuration = clientSettings(endpoint);
  cloudWatch = new CloudWatch(configuration);
  topics = new SNS(configuration);
});
afterEach(() => endpoint.close());

/** As the drift check writes one. */
const logLine = (values: Record<string, number>, at = now) =>
  JSON.stringify({
    _aws: {
      Timestamp: at,
      CloudWatchMetrics: [
        {
          Namespace: 'proxyflip',
          Dimensions: [['Stack']],
          Metrics: Object.keys(values).map((Name) => ({ Name, Unit: 'Count' })),
        },
      ],
    },
    Stack: 'prod',
    ...values,
  });

const ALARM: PutMetricAlarmCommandInput = {
  AlarmName: 'drift',
  Namespace: 'proxyflip',
  MetricName: 'Findings',
  Dimensions: [{ Name: 'Stack', Value: 'prod' }],
  Statistic: 'Maximum',
  Period: 60,
  EvaluationPeriods: 1,
  Threshold: 0,
  ComparisonOperator: 'GreaterThanThreshold',
  TreatMissingData: 'breaching',
};

test('metrics out of a log line, and those that break the format named', async () => {
  service.readLogLine(logLine({ Findings: 1, Checked: 4 }));
  service.readLogLine(logLine({ Findings: 3 }, START + 30_000));
  service.readLogLine('{"_aws":{}}');
  const range = { StartTime: new Date(START), EndTime: new Date(START + MINUTE), Period: 60 };
  const id = { Namespace: 'proxyflip', MetricName: 'Findings', Dimensions: [{ Name: 'Stack', Value: 'prod' }] };

  const { Metrics } = await cloudWatch.listMetrics({ Namespace: 'proxyflip' });
  const { Datapoints } = await cloudWatch.getMetricStatistics({
    ...id,
    ...range,
    Statistics: ['Sum', 'Maximum', 'SampleCount'],
  });
  const { MetricDataResults } = await cloudWatch.getMetricData({
    StartTime: range.StartTime,
    EndTime: range.EndTime,
    MetricDataQueries: [{ Id: 'm1', MetricStat: { Metric: id, Period: 60, Stat: 'Average' } }],
  });

  expect(Metrics?.map(({ MetricName }) => MetricName).sort()).toEqual(['Checked', 'Findings']);
  expect(Datapoints).toEqual([{ Timestamp: new Date(START), Unit: 'Count', Sum: 4, Maximum: 3, SampleCount: 2 }]);
  expect(MetricDataResults).toMatchObject([{ Id: 'm1', Values: [2], Timestamps: [new Date(START)] }]);
  expect(service.refusedMetrics).toHaveLength(1);
});

test('metric math is refused by name, not answered', async () => {
  const query = { Id: 'e1', Expression: 'SUM(METRICS())' };
  const range = { StartTime: new Date(START), EndTime: new Date(START + MINUTE) };
  expect(await codeOf(cloudWatch.getMetricData({ ...range, MetricDataQueries: [query] }))).toBe(
    'InvalidParameterCombinationException',
  );
});

describe('an alarm', () => {
  const state = async () => (await cloudWatch.describeAlarms({ AlarmNames: ['drift'] })).MetricAlarms?.[0]?.StateValue;

  test('goes off, comes back, and goes off when nothing is measured any more', async () => {
    const { TopicArn = '' } = await topics.createTopic({ Name: 'ops' });
    await cloudWatch.putMetricAlarm({ ...ALARM, AlarmActions: [TopicArn], OKActions: [TopicArn] });
    const seen = [await state()];
    for (const value of [0, 2, 0, undefined, undefined]) {
      if (value !== undefined) service.readLogLine(logLine({ Findings: value }));
      now += MINUTE;
      // Two periods more than asked for are looked at: those that have gone by are real, and missing ones are not filled yet.
      await service.evaluateAlarms(now);
      seen.push(await state());
    }
    now += 3 * MINUTE;
    await service.evaluateAlarms(now);
    seen.push(await state());

    expect(seen).toEqual(['INSUFFICIENT_DATA', 'OK', 'ALARM', 'OK', 'OK', 'OK', 'ALARM']);
    expect(sns.messages.map(({ subject }) => subject)).toEqual([
      'OK: "drift" in EU (Frankfurt)',
      'ALARM: "drift" in EU (Frankfurt)',
      'OK: "drift" in EU (Frankfurt)',
      'ALARM: "drift" in EU (Frankfurt)',
    ]);
    const { NewStateReason, OldStateValue } = JSON.parse(sns.messages.at(-1)?.message ?? '');
    expect(OldStateValue).toBe('OK');
    expect(NewStateReason).toBe(
      'Threshold Crossed: no datapoints were received for 1 period and 1 missing datapoint was treated as [Breaching].',
    );
  });

  test('that may not publish says so in its history', async () => {
    const { TopicArn = '' } = await topics.createTopic({ Name: 'ops' });
    // A policy of its own takes the place of the default one, which let the account's alarms in.
    const statement = {
      Effect: 'Allow',
      Principal: { Service: 'events.amazonaws.com' },
      Action: 'sns:Publish',
      Resource: TopicArn,
    };
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
    await topics.setTopicAttributes({ TopicArn, AttributeName: 'Policy', AttributeValue: Policy });
    await cloudWatch.putMetricAlarm({ ...ALARM, AlarmActions: [TopicArn] });
    await service.evaluateAlarms();

    const { AlarmHistoryItems } = await cloudWatch.describeAlarmHistory({
      AlarmName: 'drift',
      HistoryItemType: 'Action',
    });
    expect(AlarmHistoryItems).toMatchObject([{ HistorySummary: expect.stringContaining('Failed to execute action') }]);
    expect(sns.messages).toEqual([]);
  });

  test('with its actions disabled changes and tells nobody', async () => {
    const { TopicArn = '' } = await topics.createTopic({ Name: 'ops' });
    await cloudWatch.putMetricAlarm({ ...ALARM, AlarmActions: [TopicArn] });
    await cloudWatch.disableAlarmActions({ AlarmNames: ['drift'] });
    await service.evaluateAlarms();
    expect(await state()).toBe('ALARM');
    expect(sns.messages).toEqual([]);
  });

  test.each<[string, Partial<PutMetricAlarmCommandInput>, string]>([
    ['metric math', { Metrics: [] }, 'InvalidParameterCombinationException'],
    ['a period of 45 s', { Period: 45 }, 'InvalidParameterValueException'],
    ['no statistic', { Statistic: undefined }, 'InvalidParameterCombinationException'],
    ['more than a day', { Period: 900, EvaluationPeriods: 97 }, 'InvalidParameterValueException'],
    ['a treatment that there is not', { TreatMissingData: 'alarming' }, 'InvalidParameterValueException'],
    [
      'a target that is no topic',
      { AlarmActions: ['arn:aws:automate:eu-central-1:ec2:stop'] },
      'InvalidParameterValueException',
    ],
    ['no threshold', { Threshold: undefined }, 'MissingRequiredParameterException'],
  ])('is refused: %s', async (_what, changed, expected) => {
    expect(await codeOf(cloudWatch.putMetricAlarm({ ...ALARM, ...changed }))).toBe(expected);
  });
});

test('a dashboard is kept as it is, and one that cannot be shown is refused', async () => {
  const DashboardBody = '{"widgets":[{"type":"text","properties":{"markdown":"x"}}]}';
  await cloudWatch.putDashboard({ DashboardName: 'fleet', DashboardBody });
  expect((await cloudWatch.getDashboard({ DashboardName: 'fleet' })).DashboardBody).toBe(DashboardBody);
  expect(await codeOf(cloudWatch.putDashboard({ DashboardName: 'fleet', DashboardBody: '{"widgets":[{}]}' }))).toBe(
    'DashboardInvalidInputError',
  );
});

describe('topics', () => {
  test('only confirmed subscriptions get messages', async () => {
    const { TopicArn = '' } = await topics.createTopic({ Name: 'ops', Attributes: { DisplayName: 'Ops' } });
    const subscribed = { TopicArn, Protocol: 'email', ReturnSubscriptionArn: true };
    const { SubscriptionArn = '' } = await topics.subscribe({ ...subscribed, Endpoint: 'ops@example.com' });
    await topics.subscribe({ ...subscribed, Endpoint: 'other@example.com' });
    await topics.confirmSubscription({ TopicArn, Token: sns.confirmationToken(SubscriptionArn) });
    await topics.publish({ TopicArn, Subject: 'drift', Message: 'chat: MODIFIED' });
    expect(sns.messages).toMatchObject([
      { subject: 'drift', message: 'chat: MODIFIED', sentTo: ['email:ops@example.com'] },
    ]);
    const { Attributes } = await topics.getTopicAttributes({ TopicArn });
    expect(Attributes).toMatchObject({ DisplayName: 'Ops', SubscriptionsConfirmed: '1', SubscriptionsPending: '1' });
  });

  test.each<[string, () => Promise<unknown>, string]>([
    [
      'an unknown topic',
      () => topics.publish({ TopicArn: 'arn:aws:sns:eu-central-1:111122223333:none', Message: 'x' }),
      'NotFoundException',
    ],
    ['a name with a dot', () => topics.createTopic({ Name: 'a.b' }), 'InvalidParameterException'],
    [
      'a FIFO topic',
      () => topics.createTopic({ Name: 'ops', Attributes: { FifoTopic: 'true' } }),
      'InvalidParameterException',
    ],
  ])('%s is refused', async (_what, call, expected) => expect(await codeOf(call())).toBe(expected));
});
