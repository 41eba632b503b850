/**
 * From a request's template and parameters to what can be deployed: included, decided, and checked as far as it can be
 * before anything is made.
 */
import { ACCOUNT_ID, REGION } from '../world.ts';
import { templateError, validationError } from './errors.ts';
import { findCycle, type Graph } from './graph.ts';
import { type GetObject, hasTransform, include } from './include.ts';
import {
  decide,
  evaluateConditions,
  references,
  requireKnownFunctions,
  requireRules,
  resolve,
  type Scope,
} from './intrinsics.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import {
  type ParameterInput,
  type ParameterValues,
  type ReadStoredParameter,
  resolveParameters,
} from './parameters.ts';
import type { ResourceType } from './resource-type.ts';
import { parseText, type ResourceDeclaration, readTemplate, type Template } from './template.ts';

export interface PreparedTemplate {
  /** As it was given. */
  readonly body: string;
  readonly template: Template;
  readonly parameters: ParameterValues;
  /** Those whose condition holds, with every Fn::If decided. */
  readonly resources: ReadonlyMap<string, ResourceDeclaration>;
  readonly outputs: ReadonlyMap<string, JsonObject>;
  readonly graph: Graph;
  readonly hasMacros: boolean;
}

export interface PrepareOptions {
  readonly getObject: GetObject;
  readonly readStored: ReadStoredParameter;
  readonly findType: (name: string) => ResourceType | undefined;
  readonly stackName: string;
  readonly stackId: string;
}

export async function prepareTemplate(
  body: string,
  inputs: readonly ParameterInput[],
  previous: ParameterValues | undefined,
  options: PrepareOptions,
): Promise<PreparedTemplate> {
  const document = parseText(body);
  const declarations = document.Parameters ?? {};
  if (!isObject(declarations)) throw templateError('Parameters must be an object');
  const parameters = await resolveParameters(
    declarations as Record<string, JsonObject>,
    inputs,
    previous,
    options.readStored,
  );
  const scope = parameterScope(parameters, isObject(document.Mappings) ? document.Mappings : {}, options);
  const included = await include(document, scope, options.getObject);
  if (!isObject(included)) throw templateError('unsupported structure.');
  const template = readTemplate(included);
  requireRules(template.rules, scope);
  requireKnownFunctions(template.conditions, 'Conditions');
  const conditions = evaluateConditions(template.conditions, scope);
  const active = activeResources(template, conditions);
  const outputs = activeOutputs(template, conditions);
  requireKnownTypes(template.resources, options.findType);
  const graph = dependencies(active, template, parameters);
  requireResolvable(active, outputs, parameters);
  const cycle = findCycle(graph);
  if (cycle !== undefined) throw validationError(`Circular dependency between resources: [${cycle.join(', ')}]`);
  return { body, template, parameters, resources: active, outputs, graph, hasMacros: hasTransform(document) };
}

/** What does not need resources: parameters, pseudo parameters, mappings. */
export function parameterScope(
  parameters: ParameterValues,
  mappings: JsonObject,
  stack: { readonly stackName: string; readonly stackId: string },
): Scope {
  const pseudo: Readonly<Record<string, Json>> = {
    'AWS::AccountId': ACCOUNT_ID,
    'AWS::Region': REGION,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stack.stackName,
    'AWS::StackId': stack.stackId,
    'AWS::NotificationARNs': [],
  };
  return {
    ref(name) {
      if (name === 'AWS::NoValue') return undefined;
      const value = pseudo[name] ?? parameters.get(name)?.value;
      if (value === undefined)
        throw templateError(`Unresolved dependencies [${name}]. Cannot reference resources here`);
      return value;
    },
    getAtt(logicalId) {
      throw templateError(`Unresolved dependencies [${logicalId}]. Cannot reference resources here`);
    },
    findInMap(map, first, second) {
      const level = isObject(mappings[map]) ? mappings[map][first] : undefined;
      const value = isObject(level) ? level[second] : undefined;
      if (value === undefined) {
        throw validationError(`Template error: Unable to get mapping for ${map}::${first}::${second}`);
      }
      return value;
    },
  };
}

function activeResources(template: Template, conditions: Readonly<Record<string, boolean>>) {
  const active = new Map<string, ResourceDeclaration>();
  for (const [id, declaration] of Object.entries(template.resources)) {
    const { condition } = declaration;
    if (condition !== undefined && conditions[condition] === undefined) {
      throw templateError(`Unresolved condition dependency ${condition} in the Resources block of the template`);
    }
    requireKnownFunctions(declaration.properties, `resource ${id}`);
    const properties = decide(declaration.properties, conditions) as JsonObject;
    if (condition === undefined || conditions[condition] === true) active.set(id, { ...declaration, properties });
  }
  return active;
}

function activeOutputs(template: Template, conditions: Readonly<Record<string, boolean>>) {
  const active = new Map<string, JsonObject>();
  for (const [name, output] of Object.entries(template.outputs)) {
    if (output.Value === undefined) throw templateError(`[/Outputs/${name}] Every Outputs member must contain a Value`);
    requireKnownFunctions(output, `output ${name}`);
    const condition = output.Condition;
    if (condition === undefined || conditions[String(condition)] === true) {
      active.set(name, decide(output, conditions) as JsonObject);
    }
  }
  return active;
}

/** All at once and by name, before anything is made, whether their condition holds or not. */
function requireKnownTypes(
  resources: Readonly<Record<string, ResourceDeclaration>>,
  findType: (name: string) => ResourceType | undefined,
): void {
  const unknown = Object.values(resources)
    .map(({ type }) => type)
    .filter((type) => findType(type) === undefined);
  if (unknown.length > 0) {
    throw templateError(
      `Unrecognized resource types: [${[...new Set(unknown)].join(', ')}] (the rehearsal does not have them)`,
    );
  }
}

function dependencies(
  active: ReadonlyMap<string, ResourceDeclaration>,
  template: Template,
  parameters: ParameterValues,
): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [id, { properties, dependsOn }] of active) {
    const unknown = dependsOn.filter((name) => !(name in template.resources));
    if (unknown.length > 0) {
      throw templateError(
        `Unresolved resource dependencies [${unknown.join(', ')}] in the Resources block of the template`,
      );
    }
    const names = [...references(properties)].filter((name) => !parameters.has(name));
    graph.set(id, new Set([...names, ...dependsOn].filter((name) => active.has(name))));
  }
  return graph;
}

function requireResolvable(
  active: ReadonlyMap<string, ResourceDeclaration>,
  outputs: ReadonlyMap<string, JsonObject>,
  parameters: ParameterValues,
): void {
  const isKnown = (name: string): boolean => active.has(name) || parameters.has(name) || name.startsWith('AWS::');
  for (const [block, values] of [
    ['Resources', [...active.values()].map(({ properties }) => properties)],
    ['Outputs', [...outputs.values()]],
  ] as const) {
    const unknown = values.flatMap((value) => [...references(value)]).filter((name) => !isKnown(name));
    if (unknown.length > 0) {
      throw templateError(
        `Unresolved resource dependencies [${[...new Set(unknown)].join(', ')}] in the ${block} block of the template`,
      );
    }
  }
}

/** The text of an output or of one of its members. */
export function resolveText(value: Json, scope: Scope): string {
  const resolved = resolve(value, scope);
  if (typeof resolved === 'object') {
    throw validationError(
      `Template format error: the Value field of every Outputs member must evaluate to a String, not ${JSON.stringify(resolved)}`,
    );
  }
  return String(resolved);
}
