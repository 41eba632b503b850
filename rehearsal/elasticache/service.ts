/** ElastiCache, API version 2015-02-02: the store that several instances of the chat share. */
import type { Service } from '../aws/service.ts';
import type { World } from '../world.ts';
import { replicationGroupActions } from './actions/replication-group.ts';
import { subnetGroupActions } from './actions/subnet-group.ts';
import type { CacheServers, ElastiCacheParts } from './replication-groups.ts';

export interface ElastiCacheOptions {
  readonly world: World;
  readonly servers: CacheServers;
}

export function createElastiCacheService({ world, servers }: ElastiCacheOptions): Service {
  const parts: ElastiCacheParts = { world, servers, subnetGroups: new Map(), replicationGroups: new Map() };
  return {
    signingName: 'elasticache',
    protocol: 'awsQuery',
    actions: { ...subnetGroupActions(parts), ...replicationGroupActions(parts) },
  };
}
