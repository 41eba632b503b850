import type { PutEventsRequest, PutEventsRequestEntry, PutEventsResponse } from '@aws-sdk/client-eventbridge';
import { onlyTakes } from '../../aws/only-takes.ts';
import { ServiceError } from '../../aws/service.ts';
import { defaultBus, type EventsParts } from '../parts.ts';

/** Source: API reference, PutEvents: up to 10 entries; user guide, "Calculating PutEvents event entry size". Bytes. */
const MAX_ENTRIES = 10;
const MAX_BYTES = 256 * 1024;
const TAKEN = ['Source', 'DetailType', 'Detail', 'Resources', 'Time', 'EventBusName', 'TraceHeader'];

/** The call succeeds where an entry does not: each has a result of its own. */
export const putEvents =
  ({ bus }: EventsParts) =>
  (input: PutEventsRequest): PutEventsResponse => {
    onlyTakes('PutEvents', input, ['Entries'], 'ValidationException');
    const { Entries = [] } = input;
    if (Entries.length === 0 || Entries.length > MAX_ENTRIES) {
      throw new ServiceError(
        'ValidationException',
        `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length between 1 and ${MAX_ENTRIES}`,
      );
    }
    for (const entry of Entries) onlyTakes('PutEvents', entry, TAKEN, 'ValidationException');
    if (Entries.reduce((sum, entry) => sum + sizeOf(entry), 0) > MAX_BYTES) {
      throw new ServiceError('ValidationException', 'Total size of the entries in the request is over the limit.');
    }
    const results = Entries.map((entry) => {
      const { Source = '', DetailType = '', Detail = '', Resources = [], Time } = entry;
      defaultBus(entry.EventBusName);
      const wrong = fault(entry);
      if (wrong !== undefined) return wrong;
      const detail = JSON.parse(Detail) as unknown;
      const at = Time === undefined ? {} : { at: Time.getTime() };
      return { EventId: bus.put({ source: Source, 'detail-type': DetailType, resources: Resources, detail, ...at }) };
    });
    return { FailedEntryCount: results.filter((each) => !('EventId' in each)).length, Entries: results };
  };

function fault({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry) {
  for (const [name, value] of Object.entries({ Source, DetailType, Detail })) {
    if (value === '') {
      return {
        ErrorCode: 'InvalidArgument',
        ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
      };
    }
  }
  if (Source.startsWith('aws.')) {
    return { ErrorCode: 'NotAuthorizedForSourceException', ErrorMessage: 'Not authorized for the source.' };
  }
  return isObject(Detail) ? undefined : { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' };
}

function isObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

function sizeOf({ Source = '', DetailType = '', Detail = '', Resources = [], Time }: PutEventsRequestEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources];
  return texts.reduce((sum, text) => sum + Buffer.byteLength(text), Time === undefined ? 0 : 14);
}
