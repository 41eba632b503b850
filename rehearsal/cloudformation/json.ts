/** JSON values as templates have them, and the two ways in which CloudFormation looks at them. */
import { isDeepStrictEqual } from 'node:util';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** CloudFormation hands every scalar to a custom resource as a string: 80 is "80", true is "true". */
export function stringifyScalars(value: Json): Json {
  if (Array.isArray(value)) return value.map(stringifyScalars);
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, stringifyScalars(member)]));
  }
  return value === null ? null : String(value);
}

/** Equal as CloudFormation compares properties: 80 and "80" are no change. */
export function isSame(one: Json, other: Json): boolean {
  return isDeepStrictEqual(stringifyScalars(one), stringifyScalars(other));
}
