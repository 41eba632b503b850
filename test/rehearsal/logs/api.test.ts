import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { createLogsService, type LogsService } from '../../../rehearsal/logs/service.ts';
import { clientSettings, codeOf } from '../clients.ts';

const GROUP = '/aws/lambda/check';
let now: number;
let endpoint: AwsEndpoint;
let service: LogsService;
let logs: CloudWatchLogs;
const seen: string[] = [];

beforeEach(async () => {
  now = 1000;
  service = createLogsService({ now: () => now, onMessage: (message) => seen.push(message) });
  endpoint = await startAwsEndpoint({ services: [service] });
  logs = new CloudWatchLogs(clientSettings(endpoint));
});
afterEach(() => endpoint.close());

test('what a function wrote is found by time and terms, in order over its streams, page by page', async () => {
  for (const [stream, text] of [
    ['a', 'START one'],
    ['b', 'START two'],
    ['a', 'chat: MODIFIED'],
    ['b', 'END two'],
  ] as const) {
    service.append(GROUP, stream, text);
    now += 1000;
  }
  const find = async (more: object) =>
    (await logs.filterLogEvents({ logGroupName: GROUP, ...more })).events?.map(({ message }) => message);
  expect(await find({})).toEqual(['START one', 'START two', 'chat: MODIFIED', 'END two']);
  expect(await find({ startTime: 2000, endTime: 4000 })).toEqual(['START two', 'chat: MODIFIED']);
  expect(await find({ filterPattern: 'START -one' })).toEqual(['START two']);
  expect(await find({ filterPattern: '?"chat: MOD" ?END' })).toEqual(['chat: MODIFIED', 'END two']);
  expect(await find({ logStreamNames: ['a'] })).toEqual(['START one', 'chat: MODIFIED']);
  const { nextToken } = await logs.filterLogEvents({ logGroupName: GROUP, limit: 3 });
  expect(await find({ nextToken })).toEqual(['END two']);
  expect(seen).toContain('chat: MODIFIED');
});

test('a stream is read from its head and from its end, and the token at the end is the same again', async () => {
  for (const text of ['1', '2', '3']) service.append(GROUP, 'a', text);
  const stream = { logGroupName: GROUP, logStreamName: 'a', limit: 2 };
  const first = await logs.getLogEvents({ ...stream, startFromHead: true });
  const second = await logs.getLogEvents({ ...stream, nextToken: first.nextForwardToken });
  const third = await logs.getLogEvents({ ...stream, nextToken: second.nextForwardToken });
  const last = await logs.getLogEvents(stream);
  expect([first, second, third, last].map(({ events }) => events?.map(({ message }) => message))).toEqual([
    ['1', '2'],
    ['3'],
    [],
    ['2', '3'],
  ]);
  expect(third.nextForwardToken).toBe(second.nextForwardToken);
});

test('groups, with how long they are kept', async () => {
  await logs.createLogGroup({ logGroupName: GROUP });
  await logs.putRetentionPolicy({ logGroupName: GROUP, retentionInDays: 30 });
  const { logGroups } = await logs.describeLogGroups({ logGroupNamePrefix: '/aws/lambda/' });
  expect(logGroups).toMatchObject([{ logGroupName: GROUP, retentionInDays: 30 }]);
  expect(await codeOf(logs.createLogGroup({ logGroupName: GROUP }))).toBe('ResourceAlreadyExistsException');
  await logs.deleteLogGroup({ logGroupName: GROUP });
  expect(await codeOf(logs.deleteLogGroup({ logGroupName: GROUP }))).toBe('ResourceNotFoundException');
});

test.each<[string, () => Promise<unknown>, string]>([
  ['31 days', () => logs.putRetentionPolicy({ logGroupName: GROUP, retentionInDays: 31 }), 'InvalidParameterException'],
  [
    'a pattern of JSON',
    () => logs.filterLogEvents({ logGroupName: GROUP, filterPattern: '{ $.a = 1 }' }),
    'InvalidParameterException',
  ],
  [
    'an input that is not read',
    () => logs.filterLogEvents({ logGroupName: GROUP, unmask: true }),
    'InvalidParameterException',
  ],
])('%s: refused', async (_what, call, expected) => {
  await logs.createLogGroup({ logGroupName: GROUP });
  expect(await codeOf(call())).toBe(expected);
});
