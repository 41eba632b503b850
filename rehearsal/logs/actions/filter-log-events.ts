import type { FilterLogEventsRequest, FilterLogEventsResponse } from '@aws-sdk/client-cloudwatch-logs';
import { onlyTakes } from '../../aws/only-takes.ts';
import { filterPattern } from '../filter-pattern.ts';
import type { LogStore } from '../log-store.ts';

const NAMES = ['logGroupName', 'logGroupIdentifier', 'logStreamNames', 'logStreamNamePrefix'];

/** What `aws logs tail` calls. The token is the id of the last event of the page. */
export const filterLogEvents =
  (store: LogStore) =>
  (input: FilterLogEventsRequest): FilterLogEventsResponse => {
    const { logStreamNames, logStreamNamePrefix = '' } = input;
    onlyTakes(
      'FilterLogEvents',
      input,
      [...NAMES, 'startTime', 'endTime', 'filterPattern', 'nextToken', 'limit', 'interleaved'],
      'InvalidParameterException',
    );
    const { startTime = 0, endTime = Number.POSITIVE_INFINITY, nextToken = '', limit = 10_000 } = input;
    const group = store.named(input);
    const isWanted = filterPattern(input.filterPattern ?? '');
    const found = [...group.streams.values()]
      .filter(({ name }) => name.startsWith(logStreamNamePrefix) && (logStreamNames?.includes(name) ?? true))
      .flatMap(({ name, events }) => events.map((event) => ({ ...event, logStreamName: name })))
      .filter(({ timestamp }) => timestamp >= startTime && timestamp < endTime)
      .filter(({ eventId, message }) => eventId > nextToken && isWanted(message))
      .sort((left, right) => (left.eventId < right.eventId ? -1 : 1));
    const page = found.slice(0, limit);
    return {
      events: page.map((event) => ({ ...event, ingestionTime: event.timestamp })),
      searchedLogStreams: [],
      ...(found.length > page.length ? { nextToken: page.at(-1)?.eventId } : {}),
    };
  };
