/** EventBridge by the SDK's client, in front of a real function and a topic. */
import { EventBridge } from '@aws-sdk/client-eventbridge';
import { Lambda } from '@aws-sdk/client-lambda';
import { SNS } from '@aws-sdk/client-sns';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { ServiceError } from '../../../rehearsal/aws/service.ts';
import { createEventsService, type EventsService } from '../../../rehearsal/events/service.ts';
import { createSnsService, type SnsService } from '../../../rehearsal/sns/service.ts';
import { clientSettings, codeOf } from '../clients.ts';
import { type LambdaHarness, startLambda } from '../lambda/lambda-harness.ts';

const MINUTE = 60_000;
const ECHO = 'exports.handler = async (event) => { process.stdout.write(JSON.stringify(event) + "\\n"); };';

let now: number;
let endpoint: AwsEndpoint;
let events: EventsService;
let sns: SnsService;
let harness: LambdaHarness;
let bridge: EventBridge;
let topics: SNS;
let functions: Lambda;
let FunctionArn: string;

beforeEach(async () => {
  now = Date.UTC(2026, 10, 21, 8);
  const options = { dispatcher: () => endpoint.dispatcher, now: () => now };
  events = createEventsService({ ...options, tickEveryMs: 0, firstRetryMs: 5 });
  sns = createSnsService(options);
  harness = await startLambda();
  endpoint = await startAwsEndpoint({ services: [events, sns, harness.lambda] });
  const configuration = clientSettings(endpoint);
  bridge = new EventBridge(configuration);
  topics = new SNS(configuration);
  functions = new Lambda(configuration);
  FunctionArn = ((await harness.create('check', ECHO)) as { FunctionArn: string }).FunctionArn;
});
afterEach(async () => {
  await events.close();
  await harness.close();
  await endpoint.close();
});

const permit = (SourceArn: string | undefined) =>
  functions.addPermission({
    FunctionName: 'check',
    StatementId: 'rule',
    Action: 'lambda:InvokeFunction',
    Principal: 'events.amazonaws.com',
    ...(SourceArn === undefined ? {} : { SourceArn }),
  });
const received = async () => {
  await events.settled();
  await harness.lambda.settled();
  return harness.lambda
    .logs('check')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line));
};
const drift = (detail: object = { status: 'MODIFIED' }) => ({
  Entries: [{ Source: 'proxyflip', DetailType: 'proxyflip drift', Detail: JSON.stringify(detail) }],
});
const putRule = async (target: object = {}, pattern: object = { source: ['proxyflip'] }) => {
  const { RuleArn = '' } = await bridge.putRule({ Name: 'drift', EventPattern: JSON.stringify(pattern) });
  await bridge.putTargets({ Rule: 'drift', Targets: [{ Id: 'check', Arn: FunctionArn, ...target }] });
  return RuleArn;
};

test('an event goes to the function of the rule that matches it, and to no other', async () => {
  await permit(await putRule({}, { source: ['proxyflip'], detail: { status: ['MODIFIED'] } }));
  await bridge.putEvents(drift({ status: 'IN_SYNC' }));
  await bridge.putEvents(drift());
  expect(await received()).toEqual([
    {
      version: '0',
      id: expect.any(String),
      'detail-type': 'proxyflip drift',
      source: 'proxyflip',
      account: '111122223333',
      time: '2026-11-21T08:00:00Z',
      region: 'eu-central-1',
      resources: [],
      detail: { status: 'MODIFIED' },
    },
  ]);
});

describe('a function that has no permission is not invoked, and not tried again', () => {
  test.each<[string, () => Promise<unknown>]>([
    ['none at all', async () => {}],
    ['one for another rule', () => permit('arn:aws:events:eu-central-1:111122223333:rule/other')],
  ])('%s', async (_what, prepare) => {
    await prepare();
    await putRule();
    await bridge.putEvents(drift());
    expect(await received()).toEqual([]);
    expect(events.deliveries).toMatchObject([
      { outcome: 'failed', attempts: 1, error: expect.stringContaining('AccessDeniedException') },
    ]);
  });
});

test('what fails for a while is sent again', async () => {
  await permit(await putRule());
  let left = 3;
  endpoint.intercept({
    before: ({ action }) =>
      action === 'Invoke' && left-- > 0 ? new ServiceError('ServiceException', 'down', 500) : undefined,
  });
  await bridge.putEvents(drift());
  expect(await received()).toHaveLength(1);
  expect(events.deliveries).toMatchObject([{ outcome: 'delivered', attempts: 4 }]);
});

describe('a topic', () => {
  test.each<[string, string | undefined, object, number]>([
    ['with a policy that lets EventBridge in', 'events.amazonaws.com', {}, 1],
    [
      'with one that lets it in under a condition, which it tells nothing to hold against',
      'events.amazonaws.com',
      { Condition: { StringEquals: { 'aws:SourceAccount': '111122223333' } } },
      0,
    ],
    ['with a policy for somebody else', 'cloudwatch.amazonaws.com', {}, 0],
    ['with the default policy', undefined, {}, 0],
  ])('%s', async (_what, Service, condition, count) => {
    const { TopicArn = '' } = await topics.createTopic({ Name: 'ops' });
    if (Service !== undefined) {
      const statement = {
        Effect: 'Allow',
        Principal: { Service },
        Action: 'sns:Publish',
        Resource: TopicArn,
        ...condition,
      };
      const AttributeValue = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
      await topics.setTopicAttributes({ TopicArn, AttributeName: 'Policy', AttributeValue });
    }
    await putRule({ Arn: TopicArn });
    await bridge.putEvents(drift());
    await events.settled();
    expect(sns.messages).toHaveLength(count);
  });
});

describe('what a target gets', () => {
  test.each<[string, object, unknown]>([
    ['a text of the rule', { Input: '{"loadBalancerName":"chat"}' }, { loadBalancerName: 'chat' }],
    ['a part', { InputPath: '$.detail' }, { status: 'MODIFIED' }],
    [
      'made of both',
      {
        InputTransformer: {
          InputPathsMap: { status: '$.detail.status', detail: '$.detail', none: '$.detail.none' },
          InputTemplate: '{"quoted":<status>,"in text":"is <status> now<none>","whole":<detail>}',
        },
      },
      { quoted: 'MODIFIED', 'in text': 'is MODIFIED now', whole: { status: 'MODIFIED' } },
    ],
  ])('%s', async (_what, target, expected) => {
    await permit(await putRule(target));
    await bridge.putEvents(drift());
    expect(await received()).toEqual([expected]);
  });
});

describe('a schedule', () => {
  beforeEach(async () => {
    const { RuleArn } = await bridge.putRule({ Name: 'every', ScheduleExpression: 'rate(15 minutes)' });
    await bridge.putTargets({ Rule: 'every', Targets: [{ Id: 'check', Arn: FunctionArn }] });
    await permit(RuleArn);
  });

  test('triggers when it is due, and not while it is disabled', async () => {
    const triggered: number[] = [];
    for (const minutes of [14, 15, 29, 30]) {
      events.tick(now + minutes * MINUTE);
      triggered.push((await received()).length);
    }
    expect(triggered).toEqual([0, 1, 1, 2]);
    expect(await received()).toMatchObject([
      { source: 'aws.events', 'detail-type': 'Scheduled Event', time: '2026-11-21T08:15:00Z', detail: {} },
      { time: '2026-11-21T08:30:00Z' },
    ]);
    await bridge.disableRule({ Name: 'every' });
    events.tick(now + 45 * MINUTE);
    expect(await received()).toHaveLength(2);
    expect((await bridge.describeRule({ Name: 'every' })).State).toBe('DISABLED');
  });

  test('can be run by a scenario that does not wait', async () => {
    events.runSchedule('every');
    expect(await received()).toHaveLength(1);
  });
});

test('each entry of PutEvents has a result of its own', async () => {
  const entry = { Source: 'proxyflip', DetailType: 'x', Detail: '{}' };
  const { FailedEntryCount, Entries = [] } = await bridge.putEvents({
    Entries: [
      entry,
      { ...entry, Detail: '[]' },
      { ...entry, Source: 'aws.ec2' },
      { Source: 'proxyflip', Detail: '{}' },
    ],
  });
  expect(FailedEntryCount).toBe(3);
  expect(Entries.map(({ ErrorCode }) => ErrorCode)).toEqual([
    undefined,
    'MalformedDetail',
    'NotAuthorizedForSourceException',
    'InvalidArgument',
  ]);
});

test.each<[string, () => Promise<unknown>, string]>([
  ['eleven entries', () => bridge.putEvents({ Entries: Array(11).fill(drift().Entries[0]) }), 'ValidationException'],
  [
    'another bus',
    () => bridge.putEvents({ Entries: [{ ...drift().Entries[0], EventBusName: 'mine' }] }),
    'ResourceNotFoundException',
  ],
  [
    'a target of a kind that is not there',
    () => putRule({ Arn: 'arn:aws:sqs:eu-central-1:111122223333:q' }),
    'ValidationException',
  ],
  [
    'a setting of a target that is not there',
    () => putRule({ RoleArn: 'arn:aws:iam::111122223333:role/r' }),
    'ValidationException',
  ],
  ['a rule of nothing', () => bridge.putRule({ Name: 'x' }), 'ValidationException'],
  [
    'deleting a rule with targets',
    () => putRule().then(() => bridge.deleteRule({ Name: 'drift' })),
    'ValidationException',
  ],
])('%s: refused', async (_what, call, expected) => expect(await codeOf(call())).toBe(expected));
