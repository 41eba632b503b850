/** What an update would do, as far as it can be told before: for change sets, and for "No updates are to be performed". */
import { references, resolve, type Scope } from './intrinsics.ts';
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
    readonly Replacement?: 'True' | 'False' | 'Conditional';
    readonly Scope: readonly 'Properties'[];
    readonly Details: readonly unknown[];
  };
}

type FindType = (name: string) => ResourceType | undefined;

export function plannedChanges(stack: Stack, wanted: PreparedTemplate, findType: FindType): ResourceChange[] {
  const before = stack.prepared;
  const changes = [...wanted.resources].flatMap(([id, { type, properties }]) => {
    const current = stack.resources.get(id);
    if (current === undefined || before === undefined) return [change('Add', id, type)];
    const old = foreseeable(stack, before, before.resources.get(id)?.properties ?? {});
    const changed = changedNames(old, foreseeable(stack, wanted, properties));
    if (changed.length === 0) return [];
    const kind = findType(type);
    const isReplaced = (name: string): boolean => kind?.replacedBy.includes(name) === true;
    const replaced =
      changed.some(isReplaced) || kind?.requiresReplacement?.(old, foreseeable(stack, wanted, properties));
    return [
      change(
        'Modify',
        id,
        type,
        current.physicalId,
        replaced ? 'True' : 'False',
        changed.map((name) => detail(name, isReplaced(name))),
      ),
    ];
  });
  const removed = [...stack.resources.values()]
    .filter(({ logicalId, status }) => !wanted.resources.has(logicalId) && status !== 'DELETE_COMPLETE')
    .map(({ logicalId, type, physicalId }) => change('Remove', logicalId, type, physicalId));
  return [...changes, ...conditionalChanges(stack, wanted, changes), ...removed];
}

/** Those that refer to a resource that will be another one: whether they change is known only then. */
function conditionalChanges(
  stack: Stack,
  wanted: PreparedTemplate,
  changes: readonly ResourceChange[],
): ResourceChange[] {
  const replaced = new Set(
    changes
      .filter(({ ResourceChange: { Replacement } }) => Replacement === 'True')
      .map((each) => each.ResourceChange.LogicalResourceId),
  );
  const known = new Set(changes.map((each) => each.ResourceChange.LogicalResourceId));
  return [...wanted.resources]
    .filter(([id, { properties }]) => !known.has(id) && [...references(properties)].some((name) => replaced.has(name)))
    .map(([id, { type }]) => change('Modify', id, type, stack.resources.get(id)?.physicalId, 'Conditional'));
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

/** Properties with everything resolved but what only a resource can say, which stays the function that it is. */
function foreseeable(stack: Stack, prepared: PreparedTemplate, properties: JsonObject): JsonObject {
  const parameters = parameterScope(prepared.parameters, prepared.template.mappings, {
    stackName: stack.name,
    stackId: stack.id,
  });
  const scope: Scope = {
    ref: (name) => (prepared.resources.has(name) ? `\${${name}}` : parameters.ref(name)),
    getAtt: (id, attribute) => `\${${id}.${attribute}}`,
    findInMap: parameters.findInMap,
  };
  return resolve(properties, scope) as JsonObject;
}

function changedNames(before: JsonObject, after: JsonObject): string[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].filter((name) => !isSame(before[name] ?? null, after[name] ?? null));
}

function detail(name: string, isReplaced: boolean): unknown {
  return {
    Target: { Attribute: 'Properties', Name: name, RequiresRecreation: isReplaced ? 'Always' : 'Never' },
    Evaluation: 'Static',
    ChangeSource: 'DirectModification',
  };
}

function change(
  action: ResourceChange['ResourceChange']['Action'],
  id: string,
  type: string,
  physicalId?: string,
  replacement?: 'True' | 'False' | 'Conditional',
  details: readonly unknown[] = [],
): ResourceChange {
  return {
    Type: 'Resource',
    ResourceChange: {
      Action: action,
      LogicalResourceId: id,
      ...(physicalId !== undefined && { PhysicalResourceId: physicalId }),
      ResourceType: type,
      ...(replacement !== undefined && { Replacement: replacement }),
      Scope: action === 'Modify' ? ['Properties'] : [],
      Details: details,
    },
  };
}
