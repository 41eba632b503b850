/** Reading properties: CloudFormation gives numbers and booleans as they stand in the template or as text. */
import { ResourceFailure } from '../errors.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';

export function text(value: Json | undefined): string | undefined {
  return value === undefined || value === null ? undefined : String(value);
}

export function number(value: Json | undefined): number | undefined {
  if (value === undefined || value === null) return undefined;
  const result = Number(value);
  if (Number.isNaN(result)) throw new ResourceFailure(`expected type: Number, found: ${JSON.stringify(value)}`);
  return result;
}

export function texts(value: Json | undefined): string[] {
  if (value === undefined || value === null) return [];
  return (Array.isArray(value) ? value : [value]).map(String);
}

export function object(value: Json | undefined): JsonObject | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw new ResourceFailure(`expected type: JSONObject, found: ${JSON.stringify(value)}`);
  return value;
}

/** `[{Key, Value}]`, over the stack's own tags. */
export function tagMap(value: Json | undefined, stackTags: Readonly<Record<string, string>>): Record<string, string> {
  const own = (Array.isArray(value) ? value : [])
    .filter(isObject)
    .map(({ Key, Value }) => [String(Key), String(Value)]);
  return { ...stackTags, ...Object.fromEntries(own) };
}

/** `[{Key, Value}]`, such as attributes: values as text, whatever the template has. */
export function keyValues(value: Json | undefined): { Key: string; Value: string }[] {
  const items = Array.isArray(value) ? value : [];
  return items.filter(isObject).map(({ Key, Value }) => ({ Key: String(Key), Value: String(Value) }));
}

/** Members that are undefined are left out, as an SDK leaves them out. */
export function defined(members: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
