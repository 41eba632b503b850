/** What an update would do, as far as it can be told before: for change sets, and for "No updates are to be performed". */
import type { Graph } from './graph.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { isSame, type Json, type JsonObject } from './json.ts';
import { type PreparedTemplate, parameterScope } from './prepare.ts';
import type { ResourceType } from './resource-type.ts';
import type { Stack } from './stack.ts';

export interface ResourceChange {
  readonly Type: 'Resource';
  readonly ResourceChange: {
    readonly Action: 'Add' | 'Modify' | 'Remove';
    readonly LogicalResourceId: string;
    readonly PhysicalResourceId?: string;
    readonly ResourceType: string;
    readonly Replacement?: Replacement;
    readonly Scope: readonly 'Properties'[];
    readonly Details: readonly Detail[];
  };
}

type Replacement = 'True' | 'False' | 'Conditional';

/** What changes a property, and what that does to its resource. Source: API reference, "ResourceChangeDetail", "ResourceTargetDefinition". */
interface Detail {
  readonly Target: {
    readonly Attribute: 'Properties';
    readonly Name: string;
    readonly RequiresRecreation: 'Always' | 'Never';
  };
  /** Dynamic: whether it changes is known only when something else has been made. */
  readonly Evaluation: 'Static' | 'Dynamic';
  readonly ChangeSource: 'DirectModification' | 'ParameterReference' | 'ResourceReference' | 'ResourceAttribute';
  readonly CausingEntity?: string;
}

type FindType = (name: string) => ResourceType | undefined;

export function plannedChanges(stack: Stack, wanted: PreparedTemplate, findType: FindType): ResourceChange[] {
  const modified = new Map<string, Modification>();
  for (const id of inOrder(wanted.graph)) {
    const modification = modificationOf(stack, wanted, id, findType, modified);
    if (modification !== undefined) modified.set(id, modification);
  }
  const changes = [...wanted.resources].flatMap(([id, { type }]) => {
    const current = stack.prepared === undefined ? undefined : stack.resources.get(id);
    if (current === undefined) return [change('Add', id, type)];
    const modification = modified.get(id);
    return modification === undefined ? [] : [change('Modify', id, type, current.physicalId, modification)];
  });
  const removed = [...stack.resources.values()]
    .filter(({ logicalId, status }) => !wanted.resources.has(logicalId) && status !== 'DELETE_COMPLETE')
    .map(({ logicalId, type, physicalId }) => change('Remove', logicalId, type, physicalId));
  return [...changes, ...removed];
}

interface Modification {
  readonly replacement: Replacement;
  readonly details: readonly Detail[];
}

/** @param modified  what is known of the resources that this one depends on */
function modificationOf(
  stack: Stack,
  wanted: PreparedTemplate,
  id: string,
  findType: FindType,
  modified: ReadonlyMap<string, Modification>,
): Modification | undefined {
  const before = stack.prepared;
  const declared = wanted.resources.get(id);
  if (before === undefined || declared === undefined || !stack.resources.has(id)) return undefined;
  const kind = findType(declared.type);
  const rawBefore = before.resources.get(id)?.properties ?? {};
  const raw = declared.properties;
  const old = foreseeable(stack, before, rawBefore).value;
  const next = foreseeable(stack, wanted, raw);
  const isReplacedAnyway = kind?.requiresReplacement?.(old, next.value) === true;

  const details = [...new Set([...Object.keys(rawBefore), ...Object.keys(raw)])].flatMap((name): Detail[] => {
    const { mentions } = foreseeable(stack, wanted, { [name]: raw[name] ?? null });
    const isReplacedBy = isReplacedAnyway || kind?.replacedBy.includes(name) === true;
    const Target = {
      Attribute: 'Properties',
      Name: name,
      RequiresRecreation: isReplacedBy ? 'Always' : 'Never',
    } as const;
    const causes = isSame(old[name] ?? null, next.value[name] ?? null)
      ? []
      : staticCauses(before, wanted, mentions, isSame(rawBefore[name] ?? null, raw[name] ?? null));
    return [...causes, ...dynamicCauses(mentions, modified)].map((cause) => ({ Target, ...cause }));
  });
  if (details.length === 0) return undefined;
  const replacing = details.filter(({ Target }) => Target.RequiresRecreation === 'Always');
  const isCertain = replacing.some(({ Evaluation }) => Evaluation === 'Static');
  return { replacement: isCertain ? 'True' : replacing.length > 0 ? 'Conditional' : 'False', details };
}

type Cause = Omit<Detail, 'Target'>;

/** Of a value that is another one: the parameters that it mentions and that changed; else the template itself. */
function staticCauses(
  before: PreparedTemplate,
  wanted: PreparedTemplate,
  { names }: Mentions,
  isSameText: boolean,
): Cause[] {
  const changed = names.filter(
    (name) =>
      wanted.parameters.has(name) &&
      !isSame(before.parameters.get(name)?.value ?? null, wanted.parameters.get(name)?.value ?? null),
  );
  return isSameText && changed.length > 0
    ? changed.map((name) => ({ Evaluation: 'Static', ChangeSource: 'ParameterReference', CausingEntity: name }))
    : [{ Evaluation: 'Static', ChangeSource: 'DirectModification' }];
}

/** A reference changes with another resource in its place; an attribute may, with whatever is done to the resource. */
function dynamicCauses({ names, attributes }: Mentions, modified: ReadonlyMap<string, Modification>): Cause[] {
  const Evaluation = 'Dynamic';
  return [
    ...names
      .filter((id) => (modified.get(id)?.replacement ?? 'False') !== 'False')
      .map((CausingEntity) => ({ Evaluation, ChangeSource: 'ResourceReference', CausingEntity }) as const),
    ...attributes
      .filter(([id]) => modified.has(id))
      .map(
        ([id, name]) => ({ Evaluation, ChangeSource: 'ResourceAttribute', CausingEntity: `${id}.${name}` }) as const,
      ),
  ];
}

/** Each behind those that it depends on. */
function inOrder(graph: Graph): string[] {
  const ordered = new Set<string>();
  const visit = (id: string): void => {
    if (ordered.has(id) || !graph.has(id)) return;
    for (const dependency of graph.get(id) ?? []) visit(dependency);
    ordered.add(id);
  };
  for (const id of graph.keys()) visit(id);
  return [...ordered];
}

/** Is there anything to do at all? Also a new output, description or parameter value is an update. */
export function isUnchanged(before: PreparedTemplate, wanted: PreparedTemplate): boolean {
  const parameters = (prepared: PreparedTemplate): Json =>
    Object.fromEntries(
      [...prepared.parameters].map(([name, { text, resolvedText }]) => [name, [text, resolvedText ?? null]]),
    );
  return (
    isSame(before.template as unknown as Json, wanted.template as unknown as Json) &&
    isSame(parameters(before), parameters(wanted))
  );
}

/** What a value names, by Ref and by Fn::GetAtt, or inside Fn::Sub; each once. */
interface Mentions {
  readonly names: readonly string[];
  readonly attributes: readonly (readonly [id: string, name: string])[];
}

/** Properties with everything resolved but what only a resource can say, which stays the function that it is. */
function foreseeable(
  stack: Stack,
  prepared: PreparedTemplate,
  properties: JsonObject,
): { value: JsonObject; mentions: Mentions } {
  const parameters = parameterScope(prepared.parameters, prepared.template.mappings, {
    stackName: stack.name,
    stackId: stack.id,
  });
  const names = new Set<string>();
  const attributes = new Map<string, readonly [string, string]>();
  const scope: Scope = {
    ref: (name) => {
      names.add(name);
      return prepared.resources.has(name) ? `\${${name}}` : parameters.ref(name);
    },
    getAtt: (id, attribute) => {
      attributes.set(`${id}.${attribute}`, [id, attribute]);
      return `\${${id}.${attribute}}`;
    },
    findInMap: parameters.findInMap,
  };
  const value = resolve(properties, scope) as JsonObject;
  return { value, mentions: { names: [...names], attributes: [...attributes.values()] } };
}

function change(
  action: ResourceChange['ResourceChange']['Action'],
  id: string,
  type: string,
  physicalId?: string,
  modification?: Modification,
): ResourceChange {
  return {
    Type: 'Resource',
    ResourceChange: {
      Action: action,
      LogicalResourceId: id,
      ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
      ResourceType: type,
      ...(modification !== undefined && { Replacement: modification.replacement }),
      Scope: action === 'Modify' ? ['Properties'] : [],
      Details: modification?.details ?? [],
    },
  };
}
