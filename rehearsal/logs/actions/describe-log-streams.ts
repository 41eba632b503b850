import type { DescribeLogStreamsRequest, DescribeLogStreamsResponse } from '@aws-sdk/client-cloudwatch-logs';
import { onlyTakes } from '../../aws/only-takes.ts';
import type { LogStore } from '../log-store.ts';

export const describeLogStreams =
  (store: LogStore) =>
  (input: DescribeLogStreamsRequest): DescribeLogStreamsResponse => {
    const { logGroupName = '', logStreamNamePrefix = '', ...more } = input;
    onlyTakes('DescribeLogStreams', more, ['limit', 'nextToken', 'orderBy', 'descending'], 'InvalidParameterException');
    const group = store.get(logGroupName);
    return {
      logStreams: [...group.streams.values()]
        .filter(({ name }) => name.startsWith(logStreamNamePrefix))
        .map(({ name, createdAt, events }) => ({
          logStreamName: name,
          creationTime: createdAt,
          arn: `${group.arn}:log-stream:${name}`,
          ...(events[0] === undefined ? {} : { firstEventTimestamp: events[0].timestamp }),
          ...(events.at(-1) === undefined ? {} : { lastEventTimestamp: events.at(-1)?.timestamp }),
        })),
    };
  };
