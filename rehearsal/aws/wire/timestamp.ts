import type { Schema } from '../model.ts';

export type TimestampFormat = 'date-time' | 'http-date' | 'epoch-seconds';

/** Schema numbers 5, 6 and 7 name a format; 4 is the protocol's own. Source: `@smithy/core/schema`, sentinels. */
export function timestampFormat(schema: Schema, ofProtocol: TimestampFormat): TimestampFormat {
  const sentinel = schema.getSchema();
  if (sentinel === 5) return 'date-time';
  if (sentinel === 6) return 'http-date';
  if (sentinel === 7) return 'epoch-seconds';
  return ofProtocol;
}

export function timestampText(schema: Schema, date: Date, ofProtocol: TimestampFormat): string {
  const format = timestampFormat(schema, ofProtocol);
  if (format === 'date-time') return date.toISOString().replace('.000Z', 'Z');
  if (format === 'http-date') return date.toUTCString();
  return String(date.getTime() / 1000);
}
