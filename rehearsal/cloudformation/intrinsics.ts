/**
 * Intrinsic functions: what they refer to, and what they become.
 *
 * Conditions depend on parameters alone, so every Fn::If is decided (`decide`) before anything is made; what is left refers
 * to resources and is resolved (`resolve`) when those exist. A function that is not here is refused by name.
 * Source: CloudFormation user guide, "Intrinsic function reference".
 */
import { AVAILABILITY_ZONES, REGION } from '../world.ts';
import { templateError, validationError } from './errors.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { splitAttribute } from './template.ts';

/** What names stand for. */
export interface Scope {
  /** @returns undefined for AWS::NoValue */
  ref(name: string): Json | undefined;
  getAtt(logicalId: string, attribute: string): Json;
  findInMap(map: string, first: string, second: string): Json;
}

const VALUE_FUNCTIONS = new Set([
  'Ref',
  'Fn::GetAtt',
  'Fn::Sub',
  'Fn::Join',
  'Fn::If',
  'Fn::Select',
  'Fn::Split',
  'Fn::FindInMap',
  'Fn::Base64',
  'Fn::GetAZs',
]);
const CONDITION_FUNCTIONS = new Set(['Fn::Equals', 'Fn::Not', 'Fn::And', 'Fn::Or', 'Condition']);

interface Call {
  readonly name: string;
  readonly argument: Json;
}

function asCall(value: Json): Call | undefined {
  if (!isObject(value)) return undefined;
  const names = Object.keys(value).filter((key) => key === 'Ref' || key.startsWith('Fn::'));
  const [name] = names;
  if (name === undefined) return undefined;
  if (Object.keys(value).length !== 1) {
    throw templateError(`${name} stands beside other keys (${Object.keys(value).join(', ')}): it must be alone`);
  }
  return { name, argument: value[name] as Json };
}

/** @throws ServiceError ValidationError  a function that is not in the rehearsal, or a dynamic reference */
export function requireKnownFunctions(value: Json, where: string): void {
  if (typeof value === 'string' && /\{\{resolve:/.test(value)) {
    throw templateError(`dynamic reference ${value} in ${where} is not supported by the rehearsal`);
  }
  const call = asCall(value);
  if (call !== undefined && !VALUE_FUNCTIONS.has(call.name) && !CONDITION_FUNCTIONS.has(call.name)) {
    throw templateError(`function ${call.name} in ${where} is not supported by the rehearsal`);
  }
  for (const member of Array.isArray(value) ? value : isObject(value) ? Object.values(value) : []) {
    requireKnownFunctions(member, where);
  }
}

/** Evaluate the Conditions section. `values` gives parameters and pseudo parameters. */
export function evaluateConditions(conditions: JsonObject, values: Scope): Record<string, boolean> {
  const results = new Map<string, boolean>();
  const underWay = new Set<string>();

  function byName(name: string): boolean {
    const known = results.get(name);
    if (known !== undefined) return known;
    const definition = conditions[name];
    if (definition === undefined) throw templateError(`Unresolved condition dependency ${name}`);
    if (underWay.has(name)) throw templateError(`Circular dependency between conditions: ${[...underWay].join(', ')}`);
    underWay.add(name);
    const result = holds(definition, values, byName);
    underWay.delete(name);
    results.set(name, result);
    return result;
  }

  return Object.fromEntries(Object.keys(conditions).map((name) => [name, byName(name)]));
}

/**
 * Refuse parameters that a rule of the template speaks against.
 * Source: CloudFormation user guide, "Rules"; of its functions, Fn::Contains is here beside those of conditions.
 */
export function requireRules(rules: JsonObject, values: Scope): void {
  const noConditions = (name: string): never => {
    throw templateError(`Rules cannot refer to conditions (${name})`);
  };
  for (const [name, rule] of Object.entries(rules)) {
    const { RuleCondition: condition, Assertions: assertions } = isObject(rule) ? rule : {};
    if (condition !== undefined && !holds(condition, values, noConditions)) continue;
    for (const assertion of Array.isArray(assertions) ? assertions : []) {
      if (!isObject(assertion) || assertion.Assert === undefined)
        throw templateError(`every assertion of rule ${name} needs Assert`);
      if (holds(assertion.Assert, values, noConditions)) continue;
      throw validationError(
        `Template error: Rule ${name} failed: ${String(assertion.AssertDescription ?? 'assertion not met')}`,
      );
    }
  }
}

function holds(value: Json, values: Scope, byName: (name: string) => boolean): boolean {
  if (isObject(value) && typeof value.Condition === 'string') return byName(value.Condition);
  const call = asCall(value);
  const operands = Array.isArray(call?.argument) ? call.argument : [];
  const [first = null, second = null] = operands;
  switch (call?.name) {
    case 'Fn::Equals':
      return String(resolve(first, values)) === String(resolve(second, values));
    case 'Fn::Contains': {
      const items = resolve(first, values);
      return Array.isArray(items) && items.map(String).includes(String(resolve(second, values)));
    }
    case 'Fn::Not':
      return !holds(first, values, byName);
    case 'Fn::And':
      return operands.map((operand) => holds(operand, values, byName)).every(Boolean);
    case 'Fn::Or':
      return operands.map((operand) => holds(operand, values, byName)).some(Boolean);
    default:
      throw templateError(
        `every condition must be Fn::Equals, Fn::Not, Fn::And, Fn::Or or Condition, not ${JSON.stringify(value)}`,
      );
  }
}

/** Replace each Fn::If by the branch that its condition chooses. */
export function decide(value: Json, conditions: Readonly<Record<string, boolean>>): Json {
  const call = asCall(value);
  if (call?.name === 'Fn::If') {
    const [name, whenTrue, whenFalse] = Array.isArray(call.argument) ? call.argument : [];
    const condition = conditions[String(name)];
    if (condition === undefined || whenTrue === undefined || whenFalse === undefined) {
      throw validationError(`Template error: unresolved condition dependency ${JSON.stringify(name)} in Fn::If`);
    }
    return decide(condition ? whenTrue : whenFalse, conditions);
  }
  if (Array.isArray(value)) return value.map((item) => decide(item, conditions));
  if (isObject(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, decide(member, conditions)]));
  }
  return value;
}

const SUB_VARIABLE = /\$\{([^!{}][^{}]*)\}/g;

/** Every name that Ref, Fn::GetAtt and Fn::Sub mention: parameters, pseudo parameters and resources alike. */
export function references(value: Json): Set<string> {
  const names = new Set<string>();
  const visit = (part: Json): void => {
    const call = asCall(part);
    if (call?.name === 'Ref') names.add(String(call.argument));
    else if (call?.name === 'Fn::GetAtt') names.add(attributeOf(call.argument)[0]);
    else if (call?.name === 'Fn::Sub') {
      const [text, variables] = subArguments(call.argument);
      for (const [, name = ''] of text.matchAll(SUB_VARIABLE)) {
        if (!(name in variables)) names.add(name.trim().split('.')[0] ?? name);
      }
      visit(variables);
    } else for (const member of Array.isArray(part) ? part : isObject(part) ? Object.values(part) : []) visit(member);
  };
  visit(value);
  return names;
}

function attributeOf(argument: Json): [string, string] {
  if (typeof argument === 'string') return splitAttribute(argument);
  const [logicalId, ...attribute] = Array.isArray(argument) ? argument : [];
  if (typeof logicalId !== 'string' || attribute.length === 0) {
    throw templateError(`every Fn::GetAtt object requires two non-empty parameters, not ${JSON.stringify(argument)}`);
  }
  return [logicalId, attribute.join('.')];
}

function subArguments(argument: Json): [string, JsonObject] {
  const [text, variables = {}] = Array.isArray(argument) ? argument : [argument];
  if (typeof text !== 'string' || !isObject(variables)) {
    throw templateError(`every Fn::Sub needs a text, and variables as an object, not ${JSON.stringify(argument)}`);
  }
  return [text, variables];
}

/** AWS::NoValue takes the member away that has it. */
export function resolve(value: Json, scope: Scope): Json {
  return resolveOrNothing(value, scope) ?? null;
}

function resolveOrNothing(value: Json, scope: Scope): Json | undefined {
  const call = asCall(value);
  if (call !== undefined) return apply(call, scope);
  if (Array.isArray(value)) {
    return value.map((item) => resolveOrNothing(item, scope)).filter((item): item is Json => item !== undefined);
  }
  if (isObject(value)) {
    const members = Object.entries(value)
      .map(([key, member]) => [key, resolveOrNothing(member, scope)] as const)
      .filter((entry): entry is readonly [string, Json] => entry[1] !== undefined);
    return Object.fromEntries(members);
  }
  return value;
}

function apply({ name, argument }: Call, scope: Scope): Json | undefined {
  switch (name) {
    case 'Ref':
      return scope.ref(String(argument));
    case 'Fn::GetAtt':
      return scope.getAtt(...attributeOf(argument));
    case 'Fn::Sub':
      return substitute(argument, scope);
    case 'Fn::Join': {
      const [separator, parts] = pair(name, argument);
      return list(name, resolve(parts, scope)).map(asText(name)).join(String(separator));
    }
    case 'Fn::Select': {
      const [index, items] = pair(name, argument);
      const position = Number(resolve(index, scope));
      const selected = list(name, resolve(items, scope))[position];
      if (selected === undefined)
        throw validationError(`Template error: Fn::Select cannot select nonexistent value at index ${position}`);
      return selected;
    }
    case 'Fn::Split': {
      const [separator, text] = pair(name, argument);
      return asText(name)(resolve(text, scope)).split(String(separator));
    }
    case 'Fn::FindInMap': {
      const keys = list(name, argument).map((key) => String(resolve(key, scope)));
      const [map = '', first = '', second = ''] = keys;
      return scope.findInMap(map, first, second);
    }
    case 'Fn::GetAZs': {
      const region = String(resolve(argument, scope));
      if (region !== '' && region !== REGION)
        throw validationError(`Template error: Fn::GetAZs of ${region}: the rehearsal has ${REGION} alone`);
      return [...AVAILABILITY_ZONES];
    }
    case 'Fn::Base64':
      return Buffer.from(asText(name)(resolve(argument, scope))).toString('base64');
    default:
      throw templateError(`function ${name} is not supported here`);
  }
}

function substitute(argument: Json, scope: Scope): string {
  const [text, variables] = subArguments(argument);
  return text
    .replace(SUB_VARIABLE, (_, written: string) => {
      const name = written.trim();
      const own = variables[name];
      if (own !== undefined) return asText('Fn::Sub')(resolve(own, scope));
      const value = name.includes('.') ? scope.getAtt(...splitAttribute(name)) : scope.ref(name);
      return asText('Fn::Sub')(value ?? null);
    })
    .replace(/\$\{!([^{}]*)\}/g, (_, literal: string) => `\${${literal}}`);
}

function pair(name: string, argument: Json): [Json, Json] {
  const items = list(name, argument);
  const [first, second] = items;
  if (items.length !== 2 || first === undefined || second === undefined) {
    throw templateError(`every ${name} needs two arguments, not ${JSON.stringify(argument)}`);
  }
  return [first, second];
}

function list(name: string, value: Json): readonly Json[] {
  if (!Array.isArray(value)) throw templateError(`every ${name} needs a list, not ${JSON.stringify(value)}`);
  return value;
}

function asText(name: string): (value: Json) => string {
  return (value) => {
    if (typeof value === 'object') {
      throw validationError(`Template error: every value in ${name} must be a string, not ${JSON.stringify(value)}`);
    }
    return String(value);
  };
}
