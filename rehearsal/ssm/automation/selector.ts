/**
 * The part of JSONPath that a step's `Selector` and `PropertySelector` may use here: `$`, `.name`, `['name']`, `[0]`,
 * `[*]`, `.*` and `..name` (at any depth). Anything else is refused when the document is created, rather than answered wrongly.
 */
import { isObject, type JsonValue } from '../json.ts';

type Part = { readonly name: string } | { readonly index: number } | { readonly anywhere: string } | 'all';

const PART = /\.\.([A-Za-z_][\w-]*)|\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\["([^"]+)"\]|\[(-?\d+)\]|(\[\*\]|\.\*)/y;

function parse(selector: string): Part[] | undefined {
  if (!selector.startsWith('$')) return undefined;
  const parts: Part[] = [];
  PART.lastIndex = 1;
  while (PART.lastIndex < selector.length) {
    const match = PART.exec(selector);
    if (!match) return undefined;
    const [, anywhere, dotted, single, double, index] = match;
    const name = dotted ?? single ?? double;
    if (anywhere !== undefined) parts.push({ anywhere });
    else parts.push(name !== undefined ? { name } : index !== undefined ? { index: Number(index) } : 'all');
  }
  return parts;
}

export const isSupportedSelector = (selector: string): boolean => parse(selector) !== undefined;

/** @returns undefined when nothing is there; a list when the selector can find several, else the one value. */
export function select(value: JsonValue, selector: string): JsonValue | undefined {
  const parts = parse(selector);
  if (!parts) throw new Error(`not a JSONPath that the rehearsal can evaluate: ${selector}`);
  let found: JsonValue[] = [value];
  for (const part of parts) found = found.flatMap((each) => step(each, part));
  return parts.some((part) => part === 'all' || 'anywhere' in part) ? found : found[0];
}

function step(value: JsonValue, part: Part): JsonValue[] {
  if (part === 'all')
    return Array.isArray(value) ? value : isObject(value) ? (Object.values(value) as JsonValue[]) : [];
  if ('anywhere' in part) return below(value, part.anywhere);
  if ('index' in part) {
    const item = Array.isArray(value) ? value.at(part.index) : undefined;
    return item === undefined ? [] : [item as JsonValue];
  }
  const member = isObject(value) ? value[part.name] : undefined;
  return member === undefined ? [] : [member as JsonValue];
}

/** In the order of the document, each member before what is in it. */
function below(value: JsonValue, name: string): JsonValue[] {
  if (Array.isArray(value)) return value.flatMap((item: JsonValue) => below(item, name));
  if (!isObject(value)) return [];
  return Object.entries(value).flatMap(([key, member]) => [
    ...(key === name ? [member as JsonValue] : []),
    ...below(member as JsonValue, name),
  ]);
}
