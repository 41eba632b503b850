/** `restJson1`, as Lambda speaks it: an operation is a method and a path. Source: smithy.io, "HTTP bindings". */
import type { IncomingHttpHeaders } from 'node:http';
import type { Operation, Schema, ServiceModel } from '../model.ts';
import { ShapeError } from '../shape.ts';
import { writeJson } from './json.ts';

interface Bindings {
  readonly httpLabel?: 1;
  readonly httpPayload?: 1;
  readonly httpResponseCode?: 1;
  readonly httpQuery?: string;
  readonly httpHeader?: string;
}
const bindings = (schema: Schema): Bindings => schema.getMergedTraits() as Bindings;

export interface RestMatch {
  readonly operation: Operation;
  readonly labels: Readonly<Record<string, string>>;
}

/** The operation with the longest literal path wins: `/functions/{F}/concurrency` before `/functions/{F}`. */
export function matchRest(model: ServiceModel, method: string, path: string): RestMatch | undefined {
  let best: (RestMatch & { readonly literal: number }) | undefined;
  for (const operation of model.operations.values()) {
    if (operation.http?.[0] !== method) continue;
    const [template = ''] = operation.http[1].split('?');
    const labels = matchPath(template, path);
    const literal = template.replace(/\{[^}]*\}/g, '').length;
    if (labels !== undefined && (best === undefined || literal > best.literal)) best = { operation, labels, literal };
  }
  return best;
}

function matchPath(template: string, path: string): Record<string, string> | undefined {
  const wanted = template.split('/').filter((part) => part !== '');
  const given = path.split('/').filter((part) => part !== '');
  const labels: Record<string, string> = {};
  for (const [index, part] of wanted.entries()) {
    const label = /^\{([^}+]+)(\+?)\}$/.exec(part);
    const actual = given[index];
    if (actual === undefined) return undefined;
    if (label?.[1] === undefined) {
      if (actual !== part) return undefined;
    } else if (label[2] === '+') {
      labels[label[1]] = given.slice(index).map(decodeURIComponent).join('/');
      return labels;
    } else {
      labels[label[1]] = decodeURIComponent(actual);
    }
  }
  return wanted.length === given.length ? labels : undefined;
}

/** @returns the input as `conform()` takes it @throws ShapeError  for a query parameter that the operation does not have */
export function readRest(
  match: RestMatch,
  query: URLSearchParams,
  headers: IncomingHttpHeaders,
  body: Buffer,
): Record<string, unknown> {
  const { input } = match.operation;
  const members = input.isUnitSchema() ? [] : [...input.structIterator()];
  const payload = members.find(([, schema]) => bindings(schema).httpPayload !== undefined);
  const result: Record<string, unknown> = payload === undefined && body.length > 0 ? JSON.parse(body.toString()) : {};
  const queryNames = new Set<string>();
  for (const [name, schema] of members) {
    const { httpLabel, httpQuery, httpHeader } = bindings(schema);
    let text: string | undefined;
    if (httpLabel !== undefined) text = match.labels[name];
    if (httpHeader !== undefined) text = headers[httpHeader.toLowerCase()]?.toString();
    if (httpQuery !== undefined) {
      queryNames.add(httpQuery);
      if (schema.isListSchema()) {
        if (query.has(httpQuery)) result[name] = query.getAll(httpQuery);
        continue;
      }
      text = query.get(httpQuery) ?? undefined;
    }
    if (text === undefined) continue;
    result[name] = schema.isNumericSchema() ? Number(text) : schema.isBooleanSchema() ? text === 'true' : text;
  }
  for (const name of query.keys()) {
    if (!queryNames.has(name)) throw new ShapeError('unknown', name, `Unknown query parameter ${name}`);
  }
  if (payload !== undefined && body.length > 0) {
    const [name, schema] = payload;
    result[name] = schema.isBlobSchema() ? new Uint8Array(body) : JSON.parse(body.toString());
  }
  return result;
}

export interface RestAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string;
}

export function writeRest(operation: Operation, output: unknown): RestAnswer {
  let statusCode = operation.http?.[2] ?? 200;
  if (operation.output.isUnitSchema()) return { statusCode, headers: {}, body: '' };
  const given = (output ?? {}) as Record<string, unknown>;
  const headers: Record<string, string> = {};
  let payload: Uint8Array | string | undefined;
  for (const [name, schema] of operation.output.structIterator()) {
    const { httpHeader, httpPayload, httpResponseCode } = bindings(schema);
    const value = given[name];
    if (value === undefined || value === null) continue;
    if (httpHeader !== undefined) headers[httpHeader] = String(value);
    if (httpResponseCode !== undefined) statusCode = Number(value);
    if (httpPayload !== undefined) {
      payload = value instanceof Uint8Array ? value : JSON.stringify(writeJson(schema, value));
    }
  }
  const isElsewhere = (schema: Schema) =>
    bindings(schema).httpHeader !== undefined || bindings(schema).httpResponseCode !== undefined;
  const hasPayload = [...operation.output.structIterator()].some(
    ([, schema]) => bindings(schema).httpPayload !== undefined,
  );
  const body = payload ?? (hasPayload ? '' : JSON.stringify(writeJson(operation.output, given, isElsewhere)));
  return { statusCode, headers, body };
}
