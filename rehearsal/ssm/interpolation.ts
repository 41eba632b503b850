/**
 * `{{ name }}` in documents. A text that is one reference alone becomes the value with its type; inside a longer text it
 * becomes text. A list that stands alone as an item of a list is spread into it (`InstanceIds: ["{{ InstanceIds }}"]`).
 */
import { isObject, type JsonValue, toText } from './json.ts';

/** Gives a name's value; undefined leaves the braces as they are; throws where an unknown name is an error. */
export type Lookup = (name: string) => JsonValue | undefined;

const REFERENCE = /\{\{\s*([^{}]+?)\s*\}\}/g;
const ONE_REFERENCE = /^\{\{\s*([^{}]+?)\s*\}\}$/;

export function interpolate(value: JsonValue, lookup: Lookup): JsonValue {
  if (typeof value === 'string') {
    const whole = value.match(ONE_REFERENCE)?.[1];
    if (whole !== undefined) return lookup(whole) ?? value;
    return value.replace(REFERENCE, (braces, name: string) => {
      const found = lookup(name);
      return found === undefined ? braces : toText(found);
    });
  }
  if (Array.isArray(value))
    return value.flatMap((item: JsonValue) => {
      const result = interpolate(item, lookup);
      return typeof item === 'string' && Array.isArray(result) ? result : [result];
    });
  if (isObject(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, interpolate(item as JsonValue, lookup)]),
    );
  return value;
}
