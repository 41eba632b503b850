/** What resource types that are made through the actions of a service have in common. */
import { ResourceFailure } from '../errors.ts';
import { isSame, type JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { Existing, ResourceContext } from '../resource-type.ts';
import { tagMap } from './properties.ts';

/** Of something that is gone already: succeeds. @param isGone  by the service's code */
export async function unlessGone(call: Promise<unknown>, isGone: RegExp): Promise<void> {
  await call.catch((error) => {
    if (!(error instanceof HandlerFailure && isGone.test(error.code))) throw error;
  });
}

/** The rest of a creation, when there is something to delete already. @throws ResourceFailure  with its id, so that it is */
export async function finishOrDelete(physicalResourceId: string, rest: Promise<unknown>): Promise<void> {
  await rest.catch((error: Error) => {
    throw new ResourceFailure(error.message, physicalResourceId);
  });
}

/** @returns the properties that an update changes */
export function changedProperties(before: JsonObject, after: JsonObject): string[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !isSame(before[name] ?? null, after[name] ?? null),
  );
}

/** @throws ResourceFailure  what AWS could change in place and the rehearsal cannot, by name: never as if it had been done */
export function requireUpdatable(existing: Existing, properties: JsonObject, updatable: readonly string[]): void {
  const refused = changedProperties(existing.properties, properties).filter((name) => !updatable.includes(name));
  if (refused.length === 0) return;
  throw new ResourceFailure(`An update of ${refused.join(', ')} is not supported by the rehearsal`);
}

export function tagSpecifications(
  resourceType: string,
  properties: JsonObject,
  context: ResourceContext,
): { ResourceType: string; Tags: { Key: string; Value: string }[] }[] {
  const tags = Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value }));
  return tags.length === 0 ? [] : [{ ResourceType: resourceType, Tags: tags }];
}

export const isTrue = (value: unknown): boolean => String(value) === 'true';
