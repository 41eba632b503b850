import type { GetLogEventsRequest, GetLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs';
import { onlyTakes } from '../../aws/only-takes.ts';
import { ServiceError } from '../../aws/service.ts';
import type { LogStore } from '../log-store.ts';

const NAMES = ['logGroupName', 'logGroupIdentifier', 'logStreamName'];

/** Tokens are `f/` and `b/` with the position: at the end of the stream the same one comes back, as callers expect. */
export const getLogEvents =
  (store: LogStore) =>
  (input: GetLogEventsRequest): GetLogEventsResponse => {
    const { logStreamName = '' } = input;
    onlyTakes(
      'GetLogEvents',
      input,
      [...NAMES, 'startTime', 'endTime', 'nextToken', 'limit', 'startFromHead', 'unmask'],
      'InvalidParameterException',
    );
    const { startTime = 0, endTime = Number.POSITIVE_INFINITY, limit = 10_000, startFromHead = false } = input;
    const stream = store.named(input).streams.get(logStreamName);
    if (stream === undefined) {
      throw new ServiceError('ResourceNotFoundException', 'The specified log stream does not exist.');
    }
    const all = stream.events.filter(({ timestamp }) => timestamp >= startTime && timestamp < endTime);
    const [direction = startFromHead ? 'f' : 'b', at = startFromHead ? '0' : String(all.length)] =
      input.nextToken?.split('/') ?? [];
    const from = direction === 'f' ? Number(at) : Math.max(0, Number(at) - limit);
    const to = direction === 'f' ? Math.min(all.length, from + limit) : Number(at);
    return {
      events: all.slice(from, to).map(({ timestamp, message }) => ({ timestamp, message, ingestionTime: timestamp })),
      nextForwardToken: `f/${to}`,
      nextBackwardToken: `b/${from}`,
    };
  };
