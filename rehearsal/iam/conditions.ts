/**
 * Conditions of statements: the operators and keys that the rehearsal evaluates, and no others. An operator or a key that it
 * does not know is refused when the policy is made: a Deny that silently never holds would prove nothing.
 *
 * Source: IAM user guide, "IAM JSON policy elements: Condition operators", "AWS global condition context keys".
 */
import { isObject, type Json } from '../cloudformation/json.ts';
import { matches } from './pattern.ts';

export interface Condition {
  readonly operator: Operator;
  /** In lower case: keys are compared without regard to it. */
  readonly key: string;
  readonly values: readonly string[];
}

/** What is known about a request, by key in lower case. A key that does not apply is absent. */
export type RequestContext = Readonly<Record<string, string>>;

const OPERATORS = {
  StringEquals: (value: string, wanted: string) => value === wanted,
  StringLike: matches,
  // "ArnEquals and ArnLike behave identically": each of the six parts may have wildcards.
  ArnEquals: arnMatches,
  ArnLike: arnMatches,
} as const;
type Operator = keyof typeof OPERATORS;

/** Each is given by those requests that have it: `requirements/`, and the trust of a service's role. */
const KEYS = ['aws:sourceaccount', 'aws:sourcearn', 'iam:passedtoservice', 'events:source'];

export function readConditions(conditions: Json | undefined, refuse: (why: string) => never): Condition[] {
  if (conditions === undefined) return [];
  if (!isObject(conditions)) return refuse('Condition is no object');
  return Object.entries(conditions).flatMap(([operator, keys]) => {
    if (!isOperator(operator)) return refuse(`the condition operator ${operator} is not evaluated by the rehearsal`);
    if (!isObject(keys)) return refuse(`${operator} is no object`);
    return Object.entries(keys).map(([key, values]) => {
      if (!KEYS.includes(key.toLowerCase())) refuse(`the condition key ${key} is not evaluated by the rehearsal`);
      return { operator, key: key.toLowerCase(), values: (Array.isArray(values) ? values : [values]).map(String) };
    });
  });
}

/** All of them, and of each one value at least. A key that the request lacks matches nothing. */
export function hold(conditions: readonly Condition[], context: RequestContext): boolean {
  return conditions.every(({ operator, key, values }) => {
    const value = context[key];
    return value !== undefined && values.some((wanted) => OPERATORS[operator](value, wanted));
  });
}

function isOperator(name: string): name is Operator {
  return Object.hasOwn(OPERATORS, name);
}

function arnMatches(value: string, pattern: string): boolean {
  const split = (arn: string): string[] => {
    const parts = arn.split(':');
    return [...parts.slice(0, 5), parts.slice(5).join(':')];
  };
  const parts = split(value);
  return split(pattern).every((each, index) => matches(parts[index] ?? '', each));
}
