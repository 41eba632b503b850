import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, unlessGone } from './made-by-api.ts';
import { tagMap, text, texts } from './properties.ts';

export const elastiCacheSubnetGroup: ResourceType = {
  name: 'AWS::ElastiCache::SubnetGroup',
  properties: ['CacheSubnetGroupName', 'Description', 'SubnetIds', 'Tags'],
  required: ['Description', 'SubnetIds'],
  replacedBy: ['CacheSubnetGroupName'],
  attributes: [],
  async create(properties, context) {
    const name = (text(properties.CacheSubnetGroupName) ?? context.generateName(255)).toLowerCase();
    await context.call('elasticache', 'CreateCacheSubnetGroup', {
      CacheSubnetGroupName: name,
      CacheSubnetGroupDescription: text(properties.Description),
      SubnetIds: texts(properties.SubnetIds),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    });
    return { physicalResourceId: name, attributes: {} };
  },
  async update(existing, properties) {
    requireUpdatable(existing, properties, []);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(
      context.call('elasticache', 'DeleteCacheSubnetGroup', { CacheSubnetGroupName: physicalResourceId }),
      /^CacheSubnetGroupNotFoundFault$/,
    ),
};
