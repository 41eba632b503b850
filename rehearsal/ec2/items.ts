/** What every kind of thing in EC2 has in common: an id, tags, dependents, and inputs that the rehearsal does not have. */
import { randomBytes } from 'node:crypto';
import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { refuserOf } from '../aws/refuse-others.ts';
import { ServiceError } from '../aws/service.ts';

export type Tags = Readonly<Record<string, string>>;

export const refuseOthers = refuserOf('UnsupportedOperation');

/** `vpc-0` and 16 hexadecimal digits. */
export const newId = (prefix: string): string => `${prefix}-0${randomBytes(8).toString('hex')}`;

/** @throws ServiceError  with the code given */
export function existing<Item>(
  items: ReadonlyMap<string, Item>,
  id: string | undefined,
  code: string,
  kind: string,
): Item {
  const item = items.get(id ?? '');
  if (item === undefined) throw new ServiceError(code, `The ${kind} '${id}' does not exist`);
  return item;
}

/** @throws ServiceError InvalidParameterValue  tags for something that the call does not make */
export function tagsOf(specifications: readonly TagSpecification[] | undefined, resourceType: string): Tags {
  const tags: Record<string, string> = {};
  for (const { ResourceType = '', Tags = [] } of specifications ?? []) {
    if (ResourceType !== resourceType) {
      throw new ServiceError('InvalidParameterValue', `'${ResourceType}' is not a valid taggable resource type here`);
    }
    for (const { Key = '', Value = '' } of Tags) tags[Key] = Value;
  }
  return tags;
}

export const tagList = (tags: Tags): Tag[] => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

/** @throws ServiceError DependencyViolation  naming one that is in the way */
export function requireUnused(what: string, id: string, dependents: readonly string[]): void {
  const [first] = dependents;
  if (first === undefined) return;
  throw new ServiceError(
    'DependencyViolation',
    `The ${what} '${id}' has dependencies and cannot be deleted (${first}).`,
  );
}
