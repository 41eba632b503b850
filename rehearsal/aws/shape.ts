/**
 * Holds a value against an API's schema: no member that the API does not have, none missing that it requires, each of its
 * type. Also turns what JSON cannot say (timestamps, blobs) into what the SDK hands out.
 *
 * Enumerations, patterns and lengths are not in the SDK's schemas: where the product relies on one, the action checks it.
 */
import { requiredMembers, type Schema } from './model.ts';

export type ShapeFault = 'unknown' | 'missing' | 'type';

export class ShapeError extends Error {
  override readonly name = 'ShapeError';
  readonly fault: ShapeFault;
  readonly path: string;

  constructor(fault: ShapeFault, path: string, message: string) {
    super(message);
    this.fault = fault;
    this.path = path;
  }
}

/** How a string stands for a blob: base64 on the wire, its own bytes where a program passes one. */
export type BlobText = 'base64' | 'utf8';

/**
 * @returns the value as the SDK would hand it out: a copy; members that are null or undefined are left away
 * @throws ShapeError  with the path to the member: `Listeners.0.InstancePort`
 */
export function conform(schema: Schema, value: unknown, blobText: BlobText, path = ''): unknown {
  if (schema.isUnitSchema()) return conformStructure([], [], value ?? {}, path, blobText);
  if (schema.isStructSchema()) {
    return conformStructure([...schema.structIterator()], requiredMembers(schema), value ?? {}, path, blobText);
  }
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) throw wrongType(path, 'a list', value);
    const member = schema.getValueSchema();
    return value.map((item, index) => conform(member, item, blobText, join(path, String(index))));
  }
  if (schema.isMapSchema()) {
    const member = schema.getValueSchema();
    const entries = Object.entries(record(value, path));
    return Object.fromEntries(entries.map(([key, item]) => [key, conform(member, item, blobText, join(path, key))]));
  }
  return conformScalar(schema, value, path, blobText);
}

function conformStructure(
  members: readonly (readonly [string, Schema])[],
  required: readonly string[],
  value: unknown,
  path: string,
  blobText: BlobText,
): Record<string, unknown> {
  const given = record(value, path);
  const known = new Map(members);
  const result: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(given)) {
    const schema = known.get(name);
    if (schema === undefined) {
      throw new ShapeError('unknown', join(path, name), `Unknown parameter ${join(path, name)}`);
    }
    if (item !== undefined && item !== null) result[name] = conform(schema, item, blobText, join(path, name));
  }
  for (const name of required) {
    if (result[name] === undefined) {
      throw new ShapeError('missing', join(path, name), `Missing required parameter ${join(path, name)}`);
    }
  }
  return result;
}

function conformScalar(schema: Schema, value: unknown, path: string, blobText: BlobText): unknown {
  if (schema.isStringSchema()) {
    if (typeof value !== 'string') throw wrongType(path, 'a string', value);
    return value;
  }
  if (schema.isBooleanSchema()) {
    if (typeof value !== 'boolean') throw wrongType(path, 'a boolean', value);
    return value;
  }
  if (schema.isNumericSchema() || schema.isBigIntegerSchema() || schema.isBigDecimalSchema()) {
    if (typeof value !== 'number' || !Number.isFinite(value)) throw wrongType(path, 'a number', value);
    return value;
  }
  if (schema.isTimestampSchema()) {
    const date =
      value instanceof Date ? new Date(value) : new Date(typeof value === 'number' ? value * 1000 : String(value));
    if (Number.isNaN(date.getTime())) throw wrongType(path, 'a timestamp', value);
    return date;
  }
  if (schema.isBlobSchema()) {
    if (value instanceof Uint8Array) return new Uint8Array(value);
    if (typeof value === 'string') return new Uint8Array(Buffer.from(value, blobText));
    throw wrongType(path, 'a blob', value);
  }
  return structuredClone(value); // a document: any JSON
}

function record(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrongType(path, 'a structure', value);
  return value as Record<string, unknown>;
}

const join = (path: string, name: string) => (path === '' ? name : `${path}.${name}`);

const wrongType = (path: string, wanted: string, value: unknown) =>
  new ShapeError(
    'type',
    path,
    `Parameter ${path || 'input'} must be ${wanted}, not ${JSON.stringify(value) ?? typeof value}`,
  );
