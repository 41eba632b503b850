/** What of a VPC EC2 alone has to know; subnets and security groups are in the world, since load balancers are in them too. */
import { randomBytes } from 'node:crypto';
import type { Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { ServiceError } from '../aws/service.ts';

export interface Vpc {
  readonly vpcId: string;
  readonly cidrBlock: string;
  readonly tags: Tags;
  hasDnsSupport: boolean;
  hasDnsHostnames: boolean;
}

export interface InternetGateway {
  readonly internetGatewayId: string;
  readonly tags: Tags;
  vpcId: string | undefined;
}

export interface RouteTable {
  readonly routeTableId: string;
  readonly vpcId: string;
  readonly tags: Tags;
  /** By destination. */
  readonly routes: Map<string, { readonly gatewayId: string }>;
  /** Subnets by the association's id. */
  readonly associations: Map<string, string>;
}

export type Tags = Readonly<Record<string, string>>;

export class VpcStore {
  readonly vpcs = new Map<string, Vpc>();
  readonly internetGateways = new Map<string, InternetGateway>();
  readonly routeTables = new Map<string, RouteTable>();
  /** By subnet. */
  readonly mapsPublicAddresses = new Map<string, boolean>();

  /** @throws ServiceError InvalidVpcID.NotFound */
  vpc(id: string | undefined): Vpc {
    return existing(this.vpcs, id, 'InvalidVpcID.NotFound', 'vpc ID');
  }
}

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

/** Clients fill it in by themselves. Taken and not held to: no call here answers so late that it is made again. */
const IDEMPOTENCY_TOKEN = 'ClientToken';

/** @throws ServiceError UnsupportedOperation  an input that the rehearsal does not have, by name: never as if it had been obeyed */
export function refuseOthers(input: object, known: readonly string[]): void {
  for (const [name, value] of Object.entries(input)) {
    const isEmpty = value === undefined || value === false || (Array.isArray(value) && value.length === 0);
    if (!isEmpty && name !== IDEMPOTENCY_TOKEN && !known.includes(name)) {
      throw new ServiceError('UnsupportedOperation', `The parameter ${name} is not supported by the rehearsal`);
    }
  }
}
