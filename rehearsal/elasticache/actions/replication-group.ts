import type {
  CreateReplicationGroupMessage,
  CreateReplicationGroupResult,
  DeleteReplicationGroupMessage,
  DeleteReplicationGroupResult,
  DescribeReplicationGroupsMessage,
  ReplicationGroup as ReplicationGroupAnswer,
  ReplicationGroupMessage,
} from '@aws-sdk/client-elasticache';
import { ServiceError } from '../../aws/service.ts';
import { newId } from '../../ec2/items.ts';
import {
  arnOf,
  type ElastiCacheParts,
  invalidParameter,
  type ReplicationGroup,
  refuseOthers,
  takeAddress,
} from '../replication-groups.ts';

const INPUTS = [
  'ReplicationGroupId',
  'ReplicationGroupDescription',
  'Engine',
  'EngineVersion',
  'CacheNodeType',
  'NumCacheClusters',
  'AutomaticFailoverEnabled',
  'MultiAZEnabled',
  'CacheSubnetGroupName',
  'SecurityGroupIds',
  'TransitEncryptionEnabled',
  'AtRestEncryptionEnabled',
  'Port',
  'Tags',
];

/** One server stands for all nodes of a group: it is the primary, and no failover is played. */
export const replicationGroupActions = ({ world, servers, subnetGroups, replicationGroups }: ElastiCacheParts) => {
  const find = (id: string | undefined): ReplicationGroup => {
    const found = replicationGroups.get((id ?? '').toLowerCase());
    if (found === undefined) {
      throw new ServiceError('ReplicationGroupNotFoundFault', `ReplicationGroup ${id} not found.`);
    }
    return found;
  };
  return {
    /** Answers when the server takes connections, where ElastiCache answers before and takes minutes. */
    async CreateReplicationGroup(input: CreateReplicationGroupMessage): Promise<CreateReplicationGroupResult> {
      refuseOthers(input, INPUTS);
      const id = (input.ReplicationGroupId ?? '').toLowerCase();
      if (!/^[a-z](?!.*--)[a-z0-9-]{0,39}(?<!-)$/.test(id)) {
        throw invalidParameter(`The parameter ReplicationGroupId '${id}' is not a valid identifier.`);
      }
      if (replicationGroups.has(id)) {
        throw new ServiceError('ReplicationGroupAlreadyExists', `Replication group ${id} already exists.`);
      }
      const engine = input.Engine ?? 'redis';
      if (engine !== 'valkey' && engine !== 'redis')
        throw invalidParameter(`Engine ${engine} is not supported by the rehearsal`);
      const nodes = input.NumCacheClusters ?? 1;
      if (input.AutomaticFailoverEnabled === true && nodes < 2) {
        throw new ServiceError(
          'InvalidParameterCombination',
          'Automatic failover is not supported for replication groups with fewer than 2 cache clusters.',
        );
      }
      const subnetGroupName = (input.CacheSubnetGroupName ?? '').toLowerCase();
      const subnetGroup = subnetGroups.get(subnetGroupName);
      if (subnetGroup === undefined) {
        throw new ServiceError('CacheSubnetGroupNotFoundFault', `CacheSubnetGroup ${subnetGroupName} not found.`);
      }
      const securityGroupIds = input.SecurityGroupIds ?? [];
      const unknown = securityGroupIds.find((each) => !world.securityGroups.has(each));
      if (unknown !== undefined) throw invalidParameter(`Some security groups are not valid: [${unknown}]`);
      const { address, subnetId } = takeAddress(world, subnetGroup);
      const group: ReplicationGroup = {
        id,
        arn: arnOf('replicationgroup', id),
        description: input.ReplicationGroupDescription ?? '',
        engine,
        nodeType: input.CacheNodeType ?? '',
        nodes,
        subnetGroupName,
        networkInterfaceId: newId('eni'),
        address,
        port: input.Port ?? 6379,
        isEncryptedInTransit: input.TransitEncryptionEnabled === true,
        isEncryptedAtRest: input.AtRestEncryptionEnabled === true,
        hasFailover: input.AutomaticFailoverEnabled === true,
        isMultiAz: input.MultiAZEnabled === true,
      };
      replicationGroups.set(id, group);
      const { networkInterfaceId, port, isEncryptedInTransit: isEncrypted } = group;
      world.networkInterfaces.set(networkInterfaceId, {
        networkInterfaceId,
        description: `ElastiCache ${id}-001`,
        privateIpAddress: address,
        subnetId,
        securityGroupIds,
      });
      try {
        await servers.start({ name: id, privateIpAddress: address, port, isEncrypted });
        await world.networkChanged();
      } catch (error) {
        replicationGroups.delete(id);
        world.networkInterfaces.delete(networkInterfaceId);
        throw error;
      }
      return { ReplicationGroup: describe(group) };
    },
    async DeleteReplicationGroup(input: DeleteReplicationGroupMessage): Promise<DeleteReplicationGroupResult> {
      refuseOthers(input, ['ReplicationGroupId']);
      const group = find(input.ReplicationGroupId);
      await servers.stop(group.id);
      replicationGroups.delete(group.id);
      world.networkInterfaces.delete(group.networkInterfaceId);
      await world.networkChanged();
      return { ReplicationGroup: { ...describe(group), Status: 'deleting' } };
    },
    DescribeReplicationGroups(input: DescribeReplicationGroupsMessage): ReplicationGroupMessage {
      refuseOthers(input, ['ReplicationGroupId', 'MaxRecords']);
      const wanted =
        input.ReplicationGroupId === undefined ? [...replicationGroups.values()] : [find(input.ReplicationGroupId)];
      return { ReplicationGroups: wanted.map(describe) };
    },
  };
};

const describe = (group: ReplicationGroup): ReplicationGroupAnswer => ({
  ReplicationGroupId: group.id,
  ARN: group.arn,
  Description: group.description,
  Status: 'available',
  Engine: group.engine,
  CacheNodeType: group.nodeType,
  ClusterEnabled: false,
  AutomaticFailover: group.hasFailover ? 'enabled' : 'disabled',
  MultiAZ: group.isMultiAz ? 'enabled' : 'disabled',
  TransitEncryptionEnabled: group.isEncryptedInTransit,
  AtRestEncryptionEnabled: group.isEncryptedAtRest,
  MemberClusters: Array.from(
    { length: group.nodes },
    (_, index) => `${group.id}-${String(index + 1).padStart(3, '0')}`,
  ),
  // A name on AWS; the rehearsal has no DNS.
  NodeGroups: [
    { NodeGroupId: '0001', Status: 'available', PrimaryEndpoint: { Address: group.address, Port: group.port } },
  ],
});
