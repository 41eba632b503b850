import type { ResourceType } from '../resource-type.ts';
import { isTrue, requireUpdatable, unlessGone } from './made-by-api.ts';
import { defined, number, tagMap, text, texts } from './properties.ts';

const FIXED = ['CacheSubnetGroupName', 'AtRestEncryptionEnabled', 'Port', 'ReplicationGroupId'];

/** With cluster mode disabled. */
export const elastiCacheReplicationGroup: ResourceType = {
  name: 'AWS::ElastiCache::ReplicationGroup',
  properties: [
    ...FIXED,
    'ReplicationGroupDescription',
    'Engine',
    'EngineVersion',
    'CacheNodeType',
    'NumCacheClusters',
    'AutomaticFailoverEnabled',
    'MultiAZEnabled',
    'SecurityGroupIds',
    'TransitEncryptionEnabled',
    'Tags',
  ],
  required: ['ReplicationGroupDescription'],
  replacedBy: FIXED,
  attributes: ['PrimaryEndPoint.Address', 'PrimaryEndPoint.Port'],
  async create(properties, context) {
    const { ReplicationGroup } = (await context.call('elasticache', 'CreateReplicationGroup', {
      // The stack's name may be long, and an id is short.
      ReplicationGroupId: (text(properties.ReplicationGroupId) ?? context.generateName(40)).toLowerCase(),
      ...defined({
        ReplicationGroupDescription: text(properties.ReplicationGroupDescription),
        Engine: text(properties.Engine),
        EngineVersion: text(properties.EngineVersion),
        CacheNodeType: text(properties.CacheNodeType),
        NumCacheClusters: number(properties.NumCacheClusters),
        CacheSubnetGroupName: text(properties.CacheSubnetGroupName),
        Port: number(properties.Port),
      }),
      AutomaticFailoverEnabled: isTrue(properties.AutomaticFailoverEnabled),
      MultiAZEnabled: isTrue(properties.MultiAZEnabled),
      TransitEncryptionEnabled: isTrue(properties.TransitEncryptionEnabled),
      AtRestEncryptionEnabled: isTrue(properties.AtRestEncryptionEnabled),
      SecurityGroupIds: texts(properties.SecurityGroupIds),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    })) as {
      ReplicationGroup: {
        ReplicationGroupId: string;
        NodeGroups: [{ PrimaryEndpoint: { Address: string; Port: number } }];
      };
    };
    const { Address, Port } = ReplicationGroup.NodeGroups[0].PrimaryEndpoint;
    return {
      physicalResourceId: ReplicationGroup.ReplicationGroupId,
      attributes: { 'PrimaryEndPoint.Address': Address, 'PrimaryEndPoint.Port': String(Port) },
    };
  },
  async update(existing, properties) {
    requireUpdatable(existing, properties, []);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(
      context.call('elasticache', 'DeleteReplicationGroup', { ReplicationGroupId: physicalResourceId }),
      /^ReplicationGroupNotFoundFault$/,
    ),
};
