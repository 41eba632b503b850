import type {
  CreateCacheSubnetGroupMessage,
  CreateCacheSubnetGroupResult,
  DeleteCacheSubnetGroupMessage,
} from '@aws-sdk/client-elasticache';
import { ServiceError } from '../../aws/service.ts';
import { arnOf, type ElastiCacheParts, invalidParameter, refuseOthers } from '../replication-groups.ts';

export const subnetGroupActions = ({ world, subnetGroups, replicationGroups }: ElastiCacheParts) => ({
  CreateCacheSubnetGroup(input: CreateCacheSubnetGroupMessage): CreateCacheSubnetGroupResult {
    refuseOthers(input, ['CacheSubnetGroupName', 'CacheSubnetGroupDescription', 'SubnetIds', 'Tags']);
    // "This value is stored as a lowercase string." Source: API reference, CreateCacheSubnetGroup.
    const name = (input.CacheSubnetGroupName ?? '').toLowerCase();
    if (subnetGroups.has(name)) {
      throw new ServiceError('CacheSubnetGroupAlreadyExists', `CacheSubnetGroup ${name} already exists.`);
    }
    const subnetIds = input.SubnetIds ?? [];
    const subnets = subnetIds.map((id) => {
      const subnet = world.subnets.get(id);
      if (subnet === undefined) throw new ServiceError('InvalidSubnet', `Some input subnets in :[${id}] are invalid.`);
      return subnet;
    });
    const [vpcId] = new Set(subnets.map((subnet) => subnet.vpcId));
    if (vpcId === undefined) throw invalidParameter('A subnet group needs subnets');
    const description = input.CacheSubnetGroupDescription ?? '';
    subnetGroups.set(name, { name, description, subnetIds, vpcId });
    return {
      CacheSubnetGroup: {
        CacheSubnetGroupName: name,
        CacheSubnetGroupDescription: description,
        VpcId: vpcId,
        Subnets: subnets.map(({ subnetId, availabilityZone }) => ({
          SubnetIdentifier: subnetId,
          SubnetAvailabilityZone: { Name: availabilityZone },
        })),
        ARN: arnOf('subnetgroup', name),
      },
    };
  },
  DeleteCacheSubnetGroup({ CacheSubnetGroupName = '' }: DeleteCacheSubnetGroupMessage): Record<string, never> {
    const name = CacheSubnetGroupName.toLowerCase();
    if (!subnetGroups.has(name)) {
      throw new ServiceError('CacheSubnetGroupNotFoundFault', `CacheSubnetGroup ${name} not found.`);
    }
    if ([...replicationGroups.values()].some(({ subnetGroupName }) => subnetGroupName === name)) {
      throw new ServiceError(
        'CacheSubnetGroupInUse',
        `Cache subnet group ${name} is currently in use by a cache cluster.`,
      );
    }
    subnetGroups.delete(name);
    return {};
  },
});
