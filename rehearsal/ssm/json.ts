/** Whatever JSON can say; what parameters, step inputs and step outputs hold. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: JsonValue;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** As the API prints a value inside one of its strings: text as it is, everything else as JSON. */
export function toText(value: JsonValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** As the API lists a parameter's or an output's value: always a list of strings. */
export function toTexts(value: JsonValue): string[] {
  return Array.isArray(value) ? value.map(toText) : [toText(value)];
}
