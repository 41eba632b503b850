/**
 * Template text to a checked structure. YAML with CloudFormation's short tags, or JSON.
 *
 * Sections and attributes that the rehearsal does not have are refused by name, before anything is made.
 * Source: CloudFormation user guide, "Template anatomy", "Template formats".
 */
import { isAlias, isMap, isScalar, isSeq, type Node, parseDocument } from 'yaml';
import { templateError, validationError } from './errors.ts';
import { isObject, type Json, type JsonObject } from './json.ts';

export interface ResourceDeclaration {
  readonly type: string;
  readonly properties: JsonObject;
  readonly dependsOn: readonly string[];
  readonly condition: string | undefined;
  readonly deletionPolicy: 'Delete' | 'Retain' | 'RetainExceptOnCreate';
  readonly updateReplacePolicy: 'Delete' | 'Retain';
  readonly metadata: Json;
}

export interface Template {
  readonly description: string | undefined;
  readonly parameters: Readonly<Record<string, JsonObject>>;
  readonly mappings: JsonObject;
  readonly rules: JsonObject;
  readonly conditions: JsonObject;
  readonly resources: Readonly<Record<string, ResourceDeclaration>>;
  readonly outputs: Readonly<Record<string, JsonObject>>;
  readonly metadata: Json;
}

const SECTIONS = [
  'AWSTemplateFormatVersion',
  'Description',
  'Metadata',
  'Parameters',
  'Mappings',
  'Rules',
  'Conditions',
  'Resources',
  'Outputs',
];
const RESOURCE_ATTRIBUTES = [
  'Type',
  'Properties',
  'DependsOn',
  'Condition',
  'DeletionPolicy',
  'UpdateReplacePolicy',
  'Metadata',
];
/** `!Sub` is Fn::Sub and so on; two have no prefix. */
const SHORT_TAGS: ReadonlyMap<string, string> = new Map([
  ['!Ref', 'Ref'],
  ['!Condition', 'Condition'],
  ...['Sub', 'GetAtt', 'Join', 'If', 'Select', 'Split', 'Equals', 'Not', 'And', 'Or', 'FindInMap', 'Base64']
    .concat(['ImportValue', 'Cidr', 'GetAZs', 'Transform', 'Length', 'ToJsonString'])
    .map((name): [string, string] => [`!${name}`, `Fn::${name}`]),
]);

/** @throws ServiceError ValidationError  neither YAML nor JSON, or a tag that CloudFormation does not have */
export function parseText(body: string, options: { shortTags: boolean } = { shortTags: true }): JsonObject {
  const document = parseDocument(body, { version: '1.1', merge: false, uniqueKeys: true, logLevel: 'silent' });
  const [error] = document.errors;
  if (error !== undefined) throw templateError(`YAML not well-formed. (${error.message.split('\n')[0]})`);
  const value = toJson(document.contents, options);
  if (!isObject(value)) throw templateError('unsupported structure.');
  return value;
}

function toJson(node: Node | null, options: { shortTags: boolean }): Json {
  if (node === null) return null;
  if (isAlias(node))
    throw templateError(`YAML aliases are not supported in CloudFormation templates (*${node.source})`);
  const tag = node.tag;
  if (tag?.startsWith('!') && !tag.startsWith('!!')) {
    const name = SHORT_TAGS.get(tag);
    if (name === undefined) throw templateError(`unsupported tag ${tag}`);
    if (!options.shortTags) throw templateError(`short form ${tag} is not supported in an included snippet`);
    const value = untagged(node, options);
    return { [name]: tag === '!GetAtt' && typeof value === 'string' ? splitAttribute(value) : value };
  }
  return untagged(node, options);
}

function untagged(node: Node, options: { shortTags: boolean }): Json {
  if (isSeq(node)) return node.items.map((item) => toJson(item as Node | null, options));
  if (isMap(node)) {
    return Object.fromEntries(
      node.items.map(({ key, value }) => [
        isScalar(key) ? (key.source ?? String(key.value)) : String(key),
        toJson(value as Node | null, options),
      ]),
    );
  }
  return isScalar(node) ? scalar(node.value, node.source) : null;
}

/** What would not come back as it was written stays text: dates (2012-10-17), 1.10, 0755, large numbers. */
function scalar(value: unknown, source: string | undefined): Json {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value;
  if (typeof value === 'number' && (source === undefined || String(value) === source)) return value;
  return source ?? String(value);
}

/** `Function.Arn`: the resource, and everything behind the first dot. */
export function splitAttribute(text: string): [string, string] {
  const dot = text.indexOf('.');
  if (dot < 1) throw templateError(`every Fn::GetAtt needs a resource and an attribute, not ${JSON.stringify(text)}`);
  return [text.slice(0, dot), text.slice(dot + 1)];
}

export function readTemplate(document: JsonObject): Template {
  for (const section of Object.keys(document)) {
    if (section === 'Hooks' || section === 'Transform') {
      throw templateError(`section ${section} is not supported by the rehearsal`);
    }
    if (!SECTIONS.includes(section)) throw templateError(`Invalid template property or properties [${section}]`);
  }
  const resources = section(document, 'Resources');
  if (Object.keys(resources).length === 0) throw templateError('At least one Resources member must be defined.');
  return {
    description: typeof document.Description === 'string' ? document.Description : undefined,
    parameters: section(document, 'Parameters') as Record<string, JsonObject>,
    mappings: section(document, 'Mappings'),
    rules: section(document, 'Rules'),
    conditions: section(document, 'Conditions'),
    resources: Object.fromEntries(Object.entries(resources).map(([id, value]) => [id, readResource(id, value)])),
    outputs: section(document, 'Outputs') as Record<string, JsonObject>,
    metadata: document.Metadata ?? null,
  };
}

function section(document: JsonObject, name: string): JsonObject {
  const value = document[name] ?? {};
  if (!isObject(value)) throw templateError(`${name} must be an object`);
  for (const [key, member] of Object.entries(value)) {
    if (name !== 'Conditions' && !isObject(member))
      throw templateError(`Any ${name} member must be an object. (${key})`);
    // Parameters and mappings are never referred to with a path, and so on; one rule for all logical ids.
    if (!/^[A-Za-z0-9]{1,255}$/.test(key)) {
      throw templateError(`${name} name ${JSON.stringify(key)} is non alphanumeric.`);
    }
  }
  return value;
}

function readResource(id: string, value: Json): ResourceDeclaration {
  if (!isObject(value) || typeof value.Type !== 'string') {
    throw templateError(`[/Resources/${id}] Every Resources object must contain a Type member.`);
  }
  for (const attribute of Object.keys(value)) {
    if (attribute === 'CreationPolicy' || attribute === 'UpdatePolicy') {
      throw templateError(`${attribute} of resource ${id} is not supported by the rehearsal`);
    }
    if (!RESOURCE_ATTRIBUTES.includes(attribute)) {
      throw validationError(`Invalid template resource property '${attribute}'`);
    }
  }
  const { Properties: properties = {}, DependsOn: dependsOn = [], Condition: condition } = value;
  if (!isObject(properties)) throw templateError(`Properties of resource ${id} must be an object`);
  return {
    type: value.Type,
    properties,
    dependsOn: (Array.isArray(dependsOn) ? dependsOn : [dependsOn]) as string[],
    condition: condition as string | undefined,
    deletionPolicy: policy(id, 'DeletionPolicy', value.DeletionPolicy, ['Delete', 'Retain', 'RetainExceptOnCreate']),
    updateReplacePolicy: policy(id, 'UpdateReplacePolicy', value.UpdateReplacePolicy, ['Delete', 'Retain']),
    metadata: value.Metadata ?? null,
  };
}

function policy<Value extends string>(
  id: string,
  name: string,
  value: Json | undefined,
  allowed: readonly Value[],
): Value {
  const found = allowed.find((each) => each === (value ?? 'Delete'));
  if (found === undefined) throw templateError(`${name} ${JSON.stringify(value)} of resource ${id} is not supported`);
  return found;
}
