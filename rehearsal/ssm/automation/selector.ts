/**
 * The part of JSONPath that a step's `Selector` and `PropertySelector` may use here: `$`, `.name`, `['name']`, `[0]`,
 * `[*]` and `.*`. Anything else is refused when the document is created, rather than answered wrongly.
 */
import { isObject, type JsonValue } from '../json.ts';

type Part = { readonly name: string } | { readonly index: number } | 'all';

const PART = /\.([A-Za-z_][\w-]*)|\['([^']+)'\]|\["([^"]+)"\]|\[(-?\d+)\]|(\[\*\]|\.\*)/y;

function parse(selector: string): Part[] | undefined {
  if (!selector.startsWith('$')) return undefined;
  const parts: Part[] = [];
  PART.lastIndex = 1;
  while (PART.lastIndex < selector.length) {
    const match = PART.exec(selector);
    if (!match) return undefined;
    const name = match[1] ?? match[2] ?? match[3];
    parts.push(name !== undefined ? { name } : match[4] !== undefined ? { index: Number(match[4]) } : 'all');
  }
  return parts;
}

export const isSupportedSelector = (selector: string): boolean => parse(selector) !== undefined;

/** @returns undefined when nothing is there; a list when the selector has a wildcard, else the one value. */
export function select(value: JsonValue, selector: string): JsonValue | undefined {
  const parts = parse(selector);
  if (!parts) throw new Error(`not a JSONPath that the rehearsal can evaluate: ${selector}`);
  let found: JsonValue[] = [value];
  for (const part of parts) found = found.flatMap((each) => step(each, part));
  return parts.includes('all') ? found : found[0];
}

function step(value: JsonValue, part: Part): JsonValue[] {
  if (part === 'all')
    return Array.isArray(value) ? value : isObject(value) ? (Object.values(value) as JsonValue[]) : [];
  if ('index' in part) {
    const item = Array.isArray(value) ? value.at(part.index) : undefined;
    return item === undefined ? [] : [item as JsonValue];
  }
  const member = isObject(value) ? value[part.name] : undefined;
  return member === undefined ? [] : [member as JsonValue];
}
