/**
 * CloudWatch's embedded metric format: a log line that is one JSON object with `_aws` in it says which of its members are metrics.
 *
 * A line that breaks the format gives none, as on AWS, where nobody is told; here `why` says it.
 * Source: CloudWatch user guide, "Specification: Embedded metric format".
 */
import type { MetricId, Sample } from './metric-store.ts';
import { UNITS } from './units.ts';

export interface Embedded {
  readonly metrics: readonly { readonly id: MetricId; readonly sample: Sample }[];
  /** What keeps some of it from being a metric, a sentence each. */
  readonly why: readonly string[];
}

/** "A target member must be … an array of at most 100 numbers." */
const MAX_VALUES = 100;
const MAX_METRICS = 100;
const MAX_DIMENSIONS = 30;

/** @returns undefined for a line that is no embedded metric at all */
export function embeddedMetrics(line: string): Embedded | undefined {
  if (!line.startsWith('{') || !line.includes('"_aws"')) return undefined;
  let root: unknown;
  try {
    root = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (!isObject(root) || !isObject(root._aws)) return undefined;
  const { Timestamp: at, CloudWatchMetrics: directives } = root._aws;
  if (typeof at !== 'number' || !Array.isArray(directives)) {
    return { metrics: [], why: ['_aws needs a Timestamp, in milliseconds, and CloudWatchMetrics, a list'] };
  }
  const why: string[] = [];
  const metrics: { id: MetricId; sample: Sample }[] = [];
  for (const directive of directives) {
    const read = readDirective(root, directive, why);
    if (read === undefined) continue;
    for (const dimensions of read.dimensionSets) {
      for (const { name, unit, values } of read.metrics) {
        for (const value of values) {
          metrics.push({ id: { namespace: read.namespace, name, dimensions }, sample: { at, value, count: 1, unit } });
        }
      }
    }
  }
  return { metrics, why };
}

interface Directive {
  readonly namespace: string;
  readonly dimensionSets: readonly Readonly<Record<string, string>>[];
  readonly metrics: readonly { readonly name: string; readonly unit: string; readonly values: readonly number[] }[];
}

function readDirective(root: Record<string, unknown>, directive: unknown, why: string[]): Directive | undefined {
  if (!isObject(directive)) return refuse(why, 'a directive is no object');
  const { Namespace: namespace, Dimensions: sets, Metrics: definitions } = directive;
  if (typeof namespace !== 'string' || !/^[^:][^\p{Cc}]{0,1023}$/u.test(namespace)) {
    return refuse(why, `Namespace ${JSON.stringify(namespace)} must be 1 to 1,024 characters`);
  }
  if (!Array.isArray(sets) || sets.length === 0)
    return refuse(why, 'Dimensions must be a list of lists, and not empty');
  if (!Array.isArray(definitions) || definitions.length > MAX_METRICS) {
    return refuse(why, `Metrics must be a list of at most ${MAX_METRICS}`);
  }
  const dimensionSets: Record<string, string>[] = [];
  for (const set of sets) {
    if (!Array.isArray(set) || set.length > MAX_DIMENSIONS) return refuse(why, `a set of dimensions is no list`);
    const dimensions: Record<string, string> = {};
    for (const key of set) {
      const value = root[String(key)];
      if (typeof value !== 'string' || value === '') return refuse(why, `dimension ${key} is no text at the root`);
      dimensions[String(key)] = value;
    }
    dimensionSets.push(dimensions);
  }
  const metrics: Directive['metrics'][number][] = [];
  for (const definition of definitions) {
    const name = isObject(definition) ? definition.Name : undefined;
    const unit = isObject(definition) ? (definition.Unit ?? 'None') : undefined;
    if (typeof name !== 'string' || !UNITS.includes(String(unit))) {
      return refuse(why, `metric ${JSON.stringify(definition)} needs a Name, and a Unit that CloudWatch has`);
    }
    const given = root[name];
    const values = Array.isArray(given) ? given : [given];
    // "If a target member is missing, there is no metric"; the others are.
    if (values.length > MAX_VALUES || values.some((value) => typeof value !== 'number' || !Number.isFinite(value))) {
      why.push(`metric ${name} is no number, and no list of at most ${MAX_VALUES} numbers, at the root`);
      continue;
    }
    metrics.push({ name, unit: String(unit), values });
  }
  return { namespace, dimensionSets, metrics };
}

function refuse(why: string[], reason: string): undefined {
  why.push(reason);
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
