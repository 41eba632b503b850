/** Subnet groups and replication groups with cluster mode disabled: one server that answers at the primary's address. */
import { refuserOf } from '../aws/refuse-others.ts';
import { ServiceError } from '../aws/service.ts';
import { freeAddress } from '../ec2/addresses.ts';
import { ACCOUNT_ID, REGION, type World } from '../world.ts';

export interface CacheServerRequest {
  readonly name: string;
  readonly privateIpAddress: string;
  readonly port: number;
  readonly isEncrypted: boolean;
}

/** Starts and ends servers: the part of ElastiCache that is not an API. */
export interface CacheServers {
  /** Resolves when it takes connections. */
  start(request: CacheServerRequest): Promise<void>;
  stop(name: string): Promise<void>;
}

export interface SubnetGroup {
  readonly name: string;
  readonly description: string;
  readonly subnetIds: readonly string[];
  readonly vpcId: string;
}

export interface ReplicationGroup {
  readonly id: string;
  readonly arn: string;
  readonly description: string;
  readonly engine: string;
  readonly nodeType: string;
  readonly nodes: number;
  readonly subnetGroupName: string;
  readonly networkInterfaceId: string;
  readonly address: string;
  readonly port: number;
  readonly isEncryptedInTransit: boolean;
  readonly isEncryptedAtRest: boolean;
  readonly hasFailover: boolean;
  readonly isMultiAz: boolean;
}

export interface ElastiCacheParts {
  readonly world: World;
  readonly servers: CacheServers;
  readonly subnetGroups: Map<string, SubnetGroup>;
  readonly replicationGroups: Map<string, ReplicationGroup>;
}

export const arnOf = (kind: 'replicationgroup' | 'subnetgroup', name: string): string =>
  `arn:aws:elasticache:${REGION}:${ACCOUNT_ID}:${kind}:${name}`;

export const invalidParameter = (message: string) => new ServiceError('InvalidParameterValue', message);

export const refuseOthers = refuserOf('InvalidParameterValue');

/** In the first subnet of the group: an address that no instance and no interface has. */
export function takeAddress(world: World, { subnetIds }: SubnetGroup): { address: string; subnetId: string } {
  const [subnetId = ''] = subnetIds;
  const subnet = world.subnets.get(subnetId);
  if (subnet === undefined) throw invalidParameter(`The subnet ID '${subnetId}' does not exist`);
  const used = [...world.instances.values(), ...world.networkInterfaces.values()].map((each) => each.privateIpAddress);
  return { address: freeAddress(subnet.cidrBlock, new Set(used)), subnetId };
}
