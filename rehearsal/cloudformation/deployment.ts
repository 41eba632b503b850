/**
 * What happens to a stack as a whole: create, update, delete, and the ways back when one of them fails.
 *
 * Source: CloudFormation user guide, "Stack failure options", "Update behaviors of stack resources", "Understand stack
 * creation events", "Continue rolling back an update"; status codes as DescribeStacks lists them.
 */

import { ResourceFailure } from './errors.ts';
import { type Graph, walk } from './graph.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { isSame, type JsonObject } from './json.ts';
import { type PreparedTemplate, parameterScope, resolveText } from './prepare.ts';
import { type ResourceOperations, reasonOf } from './resource-operations.ts';
import {
  type OnEvent,
  type Stack,
  type StackOutput,
  type StackResource,
  type StackSettings,
  setResourceStatus,
  setStackStatus,
} from './stack.ts';

export interface Deployment {
  /** Each begins at once and goes on behind `stack.operation`. */
  create(stack: Stack, prepared: PreparedTemplate): void;
  update(stack: Stack, prepared: PreparedTemplate, settings: StackSettings): void;
  delete(stack: Stack, retain: readonly string[]): void;
}

/** What was done to a resource in an update, for the way back. */
type Change =
  | { readonly kind: 'created' }
  | { readonly kind: 'updated'; readonly before: StackResource; readonly wanted: StackResource }
  | { readonly kind: 'replaced'; readonly before: StackResource };

export function createDeployment(operations: ResourceOperations, onEvent: OnEvent): Deployment {
  const setStatus = (stack: Stack, status: string, reason?: string): void =>
    setStackStatus(stack, status, reason, onEvent);

  function begin(stack: Stack, run: (signal: AbortSignal) => Promise<void>): void {
    const cancel = new AbortController();
    const before = stack.operation?.done ?? Promise.resolve();
    const done = before
      .then(() => run(cancel.signal))
      // A mistake of the rehearsal itself: it must show, and must not end the process.
      .catch((error) =>
        setStatus(stack, `${stack.status.split('_')[0]}_FAILED`, `Internal Failure: ${reasonOf(error)}`),
      );
    stack.operation = { cancel, done };
  }

  /** Make every resource what the template says. @returns the failures; what was begun is in `changes` */
  async function deploy(
    stack: Stack,
    prepared: PreparedTemplate,
    cancelled: AbortSignal,
    changes: Map<string, Change>,
  ): Promise<Map<string, unknown>> {
    const phase = new AbortController();
    const signal = AbortSignal.any([phase.signal, cancelled]);
    const scope = stackScope(stack, prepared);
    return walk(
      prepared.graph,
      async (id) => {
        try {
          await deployResource(stack, prepared, id, scope, signal, changes);
        } catch (error) {
          // The first failure ends the others.
          phase.abort();
          throw error;
        }
      },
      signal,
    );
  }

  async function deployResource(
    stack: Stack,
    prepared: PreparedTemplate,
    id: string,
    scope: Scope,
    signal: AbortSignal,
    changes: Map<string, Change>,
  ): Promise<void> {
    const keep = (resource: StackResource): void => void stack.resources.set(id, resource);
    const before = stack.resources.get(id);
    let wanted: StackResource;
    try {
      wanted = wantedResource(prepared, id, scope);
    } catch (error) {
      const bare = { ...(before ?? unresolvedResource(prepared, id)) };
      if (before === undefined) changes.set(id, { kind: 'created' });
      keep(
        setResourceStatus(
          stack,
          bare,
          before === undefined ? 'CREATE_FAILED' : 'UPDATE_FAILED',
          reasonOf(error),
          onEvent,
        ),
      );
      throw error;
    }
    if (before === undefined) {
      changes.set(id, { kind: 'created' });
      await operations.create(stack, wanted, signal, keep);
    } else if (isSame(before.properties, wanted.properties)) {
      const { deletionPolicy, updateReplacePolicy, dependsOn } = wanted;
      keep({ ...before, deletionPolicy, updateReplacePolicy, dependsOn });
    } else if (operations.isReplaced(before, wanted)) {
      changes.set(id, { kind: 'replaced', before });
      await operations.replace(stack, before, wanted, signal, keep);
    } else {
      changes.set(id, { kind: 'updated', before, wanted });
      await operations.update(stack, before, wanted, signal, keep);
    }
  }

  /** Delete in the reverse order of their making. @returns those that are still there */
  async function deleteAll(
    stack: Stack,
    resources: readonly StackResource[],
    isRetained: (resource: StackResource) => boolean,
    keep: (resource: StackResource) => void,
  ): Promise<string[]> {
    const keyed = new Map(resources.map((resource, index) => [`${resource.logicalId}#${index}`, resource]));
    const graph: Graph = new Map(
      [...keyed].map(([key, resource]) => [
        key,
        new Set(
          [...keyed].filter(([, other]) => other.dependsOn.has(resource.logicalId)).map(([otherKey]) => otherKey),
        ),
      ]),
    );
    const failures = await walk(graph, async (key) => {
      const resource = keyed.get(key);
      if (resource === undefined) return;
      if (isRetained(resource)) keep(setResourceStatus(stack, resource, 'DELETE_SKIPPED', undefined, onEvent));
      else await operations.delete(stack, resource, keep);
    });
    return [...failures.keys()].map((key) => keyed.get(key)?.logicalId ?? key);
  }

  async function runCreate(stack: Stack, prepared: PreparedTemplate, cancelled: AbortSignal): Promise<void> {
    const failures = await deploy(stack, prepared, cancelled, new Map());
    // DeleteStack has cancelled this and goes on from here.
    if (cancelled.aborted) return;
    const reason = failures.size > 0 ? failed('create', failures) : setOutputs(stack, prepared);
    if (reason === undefined) {
      setStatus(stack, 'CREATE_COMPLETE');
      return;
    }
    switch (stack.settings.onFailure) {
      case 'DO_NOTHING':
        setStatus(stack, 'CREATE_FAILED', reason);
        return;
      case 'DELETE':
        setStatus(stack, 'CREATE_FAILED', reason);
        setStatus(stack, 'DELETE_IN_PROGRESS', reason);
        await runDelete(stack, []);
        return;
      case 'ROLLBACK': {
        setStatus(stack, 'ROLLBACK_IN_PROGRESS', `${reason}Rollback requested by user.`);
        const isRetained = ({ deletionPolicy }: StackResource): boolean => deletionPolicy === 'Retain';
        const left = await deleteAll(stack, [...stack.resources.values()], isRetained, (resource) =>
          stack.resources.set(resource.logicalId, resource),
        );
        if (left.length > 0) setStatus(stack, 'ROLLBACK_FAILED', failedList('delete', left));
        else setStatus(stack, 'ROLLBACK_COMPLETE');
      }
    }
  }

  async function runDelete(stack: Stack, retain: readonly string[]): Promise<void> {
    const present = [...stack.resources.values()].filter(({ status }) => status !== 'DELETE_COMPLETE');
    const isRetained = ({ logicalId, deletionPolicy }: StackResource): boolean =>
      deletionPolicy !== 'Delete' || retain.includes(logicalId);
    const left = await deleteAll(stack, present, isRetained, (resource) =>
      stack.resources.set(resource.logicalId, resource),
    );
    if (left.length > 0) {
      setStatus(stack, 'DELETE_FAILED', failedList('delete', left));
      return;
    }
    stack.deletedAt = new Date();
    setStatus(stack, 'DELETE_COMPLETE');
  }

  async function runUpdate(
    stack: Stack,
    prepared: PreparedTemplate,
    settings: StackSettings,
    cancelled: AbortSignal,
  ): Promise<void> {
    const previous = {
      prepared: stack.prepared,
      settings: stack.settings,
      outputs: stack.outputs,
      resources: new Map(stack.resources),
    };
    const changes = new Map<string, Change>();
    stack.prepared = prepared;
    stack.settings = settings;
    const failures = await deploy(stack, prepared, cancelled, changes);
    const reason = cancelled.aborted
      ? 'User Initiated'
      : failures.size > 0
        ? updateFailed(failures, changes)
        : setOutputs(stack, prepared);
    if (reason !== undefined) {
      const restore = (): void => {
        stack.prepared = previous.prepared;
        stack.settings = previous.settings;
        stack.outputs = previous.outputs;
      };
      if (settings.onFailure === 'DO_NOTHING') {
        setStatus(stack, 'UPDATE_FAILED', reason);
        return;
      }
      setStatus(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', reason);
      await rollBackUpdate(stack, changes, previous.prepared?.graph ?? new Map(), restore);
      return;
    }
    stack.updatedAt = new Date();
    setStatus(stack, 'UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
    const removed = [...previous.resources.values()].filter(({ logicalId }) => !prepared.resources.has(logicalId));
    const superseded = [...changes].flatMap(([id, change]) => {
      if (change.kind === 'created') return [];
      return change.before.physicalId !== stack.resources.get(id)?.physicalId ? [change.before] : [];
    });
    for (const { logicalId } of removed) stack.resources.delete(logicalId);
    const isRetained = (resource: StackResource): boolean =>
      superseded.includes(resource) ? resource.updateReplacePolicy === 'Retain' : resource.deletionPolicy !== 'Delete';
    // What cannot be deleted here stays behind, and the update has succeeded all the same.
    await deleteAll(stack, [...removed, ...superseded], isRetained, () => {});
    setStatus(stack, 'UPDATE_COMPLETE');
  }

  /** Every resource that the update touched becomes what it was; what it made is deleted at the end. */
  async function rollBackUpdate(
    stack: Stack,
    changes: Map<string, Change>,
    order: Graph,
    restore: () => void,
    skip: readonly string[] = [],
  ): Promise<void> {
    const discarded: StackResource[] = [];
    const touched = new Map(
      [...changes].filter(([, { kind }]) => kind !== 'created').map(([id]) => [id, order.get(id) ?? new Set<string>()]),
    );
    const failures = await walk(touched, async (id) => {
      const change = changes.get(id);
      const current = stack.resources.get(id);
      if (change === undefined || change.kind === 'created' || current === undefined || skip.includes(id)) return;
      const keep = (resource: StackResource): void => void stack.resources.set(id, resource);
      if (change.kind === 'updated') {
        const changed = { ...change.wanted, physicalId: current.physicalId, attributes: current.attributes };
        await operations.update(stack, changed, change.before, new AbortController().signal, keep);
      } else {
        keep(setResourceStatus(stack, change.before, 'UPDATE_COMPLETE', undefined, onEvent));
      }
      if (current.physicalId !== undefined && current.physicalId !== stack.resources.get(id)?.physicalId) {
        discarded.push(current);
      }
    });
    if (failures.size > 0) {
      setStatus(stack, 'UPDATE_ROLLBACK_FAILED', failedList('update', [...failures.keys()]));
      stack.continueRollback = async (skipped) => {
        setStatus(stack, 'UPDATE_ROLLBACK_IN_PROGRESS', 'User Initiated');
        begin(stack, () => rollBackUpdate(stack, changes, order, restore, skipped));
      };
      return;
    }
    stack.continueRollback = undefined;
    restore();
    setStatus(stack, 'UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    for (const [id, { kind }] of changes) {
      const made = kind === 'created' ? stack.resources.get(id) : undefined;
      if (made !== undefined) discarded.push(made);
      if (kind === 'created') stack.resources.delete(id);
    }
    await deleteAll(
      stack,
      discarded,
      ({ deletionPolicy }) => deletionPolicy === 'Retain',
      () => {},
    );
    setStatus(stack, 'UPDATE_ROLLBACK_COMPLETE');
  }

  /** @returns why the outputs cannot be had, or undefined */
  function setOutputs(stack: Stack, prepared: PreparedTemplate): string | undefined {
    try {
      const scope = stackScope(stack, prepared);
      stack.outputs = [...prepared.outputs].map(([key, output]) => outputOf(key, output, scope));
      return undefined;
    } catch (error) {
      return `${reasonOf(error)} `;
    }
  }

  return {
    create(stack, prepared) {
      stack.prepared = prepared;
      setStatus(stack, 'CREATE_IN_PROGRESS', 'User Initiated');
      begin(stack, (cancelled) => runCreate(stack, prepared, cancelled));
    },
    update(stack, prepared, settings) {
      setStatus(stack, 'UPDATE_IN_PROGRESS', 'User Initiated');
      begin(stack, (cancelled) => runUpdate(stack, prepared, settings, cancelled));
    },
    delete(stack, retain) {
      setStatus(stack, 'DELETE_IN_PROGRESS', 'User Initiated');
      stack.operation?.cancel.abort();
      begin(stack, () => runDelete(stack, retain));
    },
  };
}

/** Names mean parameters, pseudo parameters, and resources as they are now. */
function stackScope(stack: Stack, prepared: PreparedTemplate): Scope {
  const parameters = parameterScope(prepared.parameters, prepared.template.mappings, {
    stackName: stack.name,
    stackId: stack.id,
  });
  const made = (id: string): StackResource | undefined =>
    prepared.resources.has(id) ? stack.resources.get(id) : undefined;
  return {
    ref: (name) => (prepared.resources.has(name) ? (made(name)?.physicalId ?? '') : parameters.ref(name)),
    getAtt(id, attribute) {
      const resource = made(id);
      const value = resource?.attributes[attribute];
      if (value !== undefined) return value;
      if (resource !== undefined && isCustom(resource.type)) {
        throw new ResourceFailure(
          `CustomResource attribute error: Vendor response doesn't contain ${attribute} attribute in object ${stack.id}|${id} in S3 bucket cloudformation-custom-resource-storage`,
        );
      }
      throw new ResourceFailure(
        `Template error: resource ${id} does not support attribute type ${attribute} in Fn::GetAtt`,
      );
    },
    findInMap: parameters.findInMap,
  };
}

function isCustom(type: string): boolean {
  return type === 'AWS::CloudFormation::CustomResource' || type.startsWith('Custom::');
}

function unresolvedResource(prepared: PreparedTemplate, id: string): StackResource {
  const declaration = prepared.resources.get(id);
  if (declaration === undefined) throw new Error(`resource ${id} is not in the template`);
  const { type, deletionPolicy, updateReplacePolicy } = declaration;
  return {
    logicalId: id,
    type,
    physicalId: undefined,
    properties: {},
    attributes: {},
    deletionPolicy,
    updateReplacePolicy,
    dependsOn: prepared.graph.get(id) ?? new Set(),
    status: '',
    reason: undefined,
    updatedAt: new Date(),
  };
}

function wantedResource(prepared: PreparedTemplate, id: string, scope: Scope): StackResource {
  const declared = prepared.resources.get(id)?.properties ?? {};
  return { ...unresolvedResource(prepared, id), properties: resolve(declared, scope) as JsonObject };
}

function outputOf(key: string, output: JsonObject, scope: Scope): StackOutput {
  const exported = output.Export as JsonObject | undefined;
  return {
    OutputKey: key,
    OutputValue: resolveText(output.Value ?? null, scope),
    ...(output.Description !== undefined && { Description: String(output.Description) }),
    ...(exported?.Name !== undefined && { ExportName: resolveText(exported.Name, scope) }),
  };
}

function failed(verb: string, failures: ReadonlyMap<string, unknown>): string {
  return failedList(verb, [...failures.keys()]);
}

function failedList(verb: string, ids: readonly string[]): string {
  return `The following resource(s) failed to ${verb}: [${ids.join(', ')}]. `;
}

function updateFailed(failures: ReadonlyMap<string, unknown>, changes: ReadonlyMap<string, Change>): string {
  const created = [...failures.keys()].filter((id) => changes.get(id)?.kind === 'created');
  const updated = [...failures.keys()].filter((id) => !created.includes(id));
  return [
    created.length > 0 ? failedList('create', created) : '',
    updated.length > 0 ? failedList('update', updated) : '',
  ].join('');
}
