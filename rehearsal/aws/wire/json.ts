/** JSON bodies of `awsJson1_1` and `restJson1`. Reading is `conform()`: its input is what `JSON.parse` returns. */
import type { ModelledError, Schema } from '../model.ts';
import type { ServiceError } from '../service.ts';
import { timestampFormat, timestampText } from './timestamp.ts';

/** @param skip  members that the protocol puts elsewhere (headers, status) */
export function writeJson(schema: Schema, value: unknown, skip: (member: Schema) => boolean = () => false): unknown {
  if (schema.isUnitSchema()) return {};
  if (schema.isStructSchema()) {
    const given = (value ?? {}) as Record<string, unknown>;
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const item = given[name];
      if (item !== undefined && item !== null && !skip(member)) result[name] = writeJson(member, item);
    }
    return result;
  }
  if (schema.isListSchema()) return (value as unknown[]).map((item) => writeJson(schema.getValueSchema(), item));
  if (schema.isMapSchema()) {
    const entries = Object.entries(value as Record<string, unknown>);
    return Object.fromEntries(entries.map(([key, item]) => [key, writeJson(schema.getValueSchema(), item)]));
  }
  if (value instanceof Date) {
    return timestampFormat(schema, 'epoch-seconds') === 'epoch-seconds'
      ? value.getTime() / 1000
      : timestampText(schema, value, 'epoch-seconds');
  }
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}

/** The message stands under `message` or `Message`, as the error's shape has it; clients look for either. */
export function writeJsonError(error: ServiceError, modelled: ModelledError | undefined): Record<string, unknown> {
  const members = modelled === undefined ? [] : [...modelled.schema.structIterator()].map(([name]) => name);
  return {
    __type: error.code,
    [members.includes('Message') ? 'Message' : 'message']: error.message,
    ...error.fields,
  };
}
