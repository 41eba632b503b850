/**
 * Event patterns: read once, refused where they are none, and held against events.
 *
 * Source: EventBridge user guide, "Creating Amazon EventBridge event patterns" and "Comparison operators".
 */
import { ServiceError } from '../aws/service.ts';

/** An event as targets get it. */
export type Matcher = (event: unknown) => boolean;

type Test = (value: unknown) => boolean;

/** @throws ServiceError InvalidEventPatternException */
export function readPattern(text: string): Matcher {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch (error) {
    throw invalid(`is no JSON: ${(error as Error).message}`);
  }
  if (!isObject(pattern)) throw invalid('must be an object');
  if (Object.keys(pattern).length === 0) throw invalid('Empty patterns are not allowed');
  return readObject(pattern, '');
}

function readObject(pattern: Record<string, unknown>, path: string): Matcher {
  const members = Object.entries(pattern).map(([name, wanted]) => {
    const at = `${path}${name}`;
    if (name === '$or') return readAlternatives(wanted, at, path);
    if (isObject(wanted)) {
      if (Object.keys(wanted).length === 0) throw invalid(`Empty objects are not allowed at ${at}`);
      const inner = readObject(wanted, `${at}.`);
      return (event: unknown) => inner(isObject(event) ? event[name] : undefined);
    }
    if (!Array.isArray(wanted)) throw invalid(`"${at}" must be an object or an array`);
    if (wanted.length === 0) throw invalid(`Empty arrays are not allowed at ${at}`);
    const tests = wanted.map((each) => readTest(each, at));
    return (event: unknown) => {
      const value = isObject(event) ? event[name] : undefined;
      // "If the value is an array, the pattern matches if the intersection is not empty."
      const values = Array.isArray(value) && value.length > 0 ? value : [value];
      return values.some((each) => tests.some((test) => test(each)));
    };
  });
  return (event) => members.every((member) => member(event));
}

function readAlternatives(wanted: unknown, at: string, path: string): Matcher {
  if (!Array.isArray(wanted) || wanted.length < 2 || !wanted.every(isObject))
    throw invalid(`"${at}" must be a list of two objects or more`);
  const alternatives = wanted.map((each) => readObject(each, path));
  return (event) => alternatives.some((alternative) => alternative(event));
}

function readTest(wanted: unknown, at: string): Test {
  if (!isObject(wanted)) {
    if (Array.isArray(wanted)) throw invalid(`"${at}" has a list in a list`);
    return (value) => value === wanted;
  }
  const [[operator, argument] = ['', undefined], ...more] = Object.entries(wanted);
  const read = OPERATORS[operator];
  if (read === undefined || more.length > 0) throw invalid(`Unrecognized match type ${operator} at ${at}`);
  return read(argument, at);
}

/** Not there: cidr, and operators within operators but `{"anything-but": {"prefix": …}}`. */
const OPERATORS: Readonly<Record<string, (argument: unknown, at: string) => Test>> = {
  prefix: (argument, at) => {
    const start = text(argument, at);
    return (value) => typeof value === 'string' && value.startsWith(start);
  },
  suffix: (argument, at) => {
    const end = text(argument, at);
    return (value) => typeof value === 'string' && value.endsWith(end);
  },
  'equals-ignore-case': (argument, at) => {
    const wanted = text(argument, at).toLowerCase();
    return (value) => typeof value === 'string' && value.toLowerCase() === wanted;
  },
  wildcard: (argument, at) => {
    const parts = text(argument, at).split('*');
    const expression = new RegExp(
      `^${parts.map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')).join('.*')}$`,
      's',
    );
    return (value) => typeof value === 'string' && expression.test(value);
  },
  exists: (argument, at) => {
    if (typeof argument !== 'boolean') throw invalid(`exists at ${at} must be true or false`);
    return (value) => (value !== undefined) === argument;
  },
  'anything-but': (argument, at) => {
    const unwanted = isObject(argument) ? [readTest(argument, at)] : list(argument).map((each) => readTest(each, at));
    return (value) => value !== undefined && !unwanted.some((test) => test(value));
  },
  numeric: (argument, at) => {
    const parts = list(argument);
    const tests = parts.flatMap((part, index) => (index % 2 === 0 ? [readComparison(part, parts[index + 1], at)] : []));
    return (value) => typeof value === 'number' && tests.every((test) => test(value));
  },
};

const COMPARISONS: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '=': (value, limit) => value === limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

function readComparison(operator: unknown, limit: unknown, at: string): (value: number) => boolean {
  const compare = COMPARISONS[String(operator)];
  if (compare === undefined || typeof limit !== 'number')
    throw invalid(`numeric at ${at} must be pairs of comparison and number`);
  return (value) => compare(value, limit);
}

function text(argument: unknown, at: string): string {
  if (typeof argument !== 'string') throw invalid(`the match at ${at} must be a string`);
  return argument;
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : [value]);

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const invalid = (why: string) =>
  new ServiceError('InvalidEventPatternException', `Event pattern is not valid. Reason: ${why}`);
