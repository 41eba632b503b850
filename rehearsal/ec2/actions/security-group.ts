import type {
  AuthorizeSecurityGroupEgressRequest,
  AuthorizeSecurityGroupIngressRequest,
  CreateSecurityGroupRequest,
  CreateSecurityGroupResult,
  DeleteSecurityGroupRequest,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  IpPermission,
  RevokeSecurityGroupEgressRequest,
  RevokeSecurityGroupIngressRequest,
} from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID, type SecurityGroup, type SecurityGroupRule, type World } from '../../world.ts';
import { parseBlock } from '../addresses.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { existing, newId, refuseOthers, requireUnused, tagList, tagsOf } from '../items.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';
import type { Ec2Parts } from '../parts.ts';

const NOT_FOUND = 'InvalidGroup.NotFound';
const EVERYTHING: SecurityGroupRule = {
  protocol: '-1',
  ports: undefined,
  peer: { cidr: '0.0.0.0/0' },
  description: undefined,
};

const FILTERS: FilterValues<SecurityGroup> = {
  'group-id': ({ groupId }) => [groupId],
  'group-name': ({ groupName }) => [groupName],
  'vpc-id': ({ vpcId }) => [vpcId],
};

type Change = Pick<AuthorizeSecurityGroupIngressRequest, 'GroupId' | 'IpPermissions'>;

/** What lets in is enforced (`network/firewall.ts`); what lets out is kept. */
export const securityGroupActions = ({ world, vpcs }: Ec2Parts) => {
  const find = (id: string | undefined): SecurityGroup =>
    existing(world.securityGroups, id, NOT_FOUND, 'security group');

  async function authorize(input: Change, direction: 'ingress' | 'egress'): Promise<{ Return: boolean }> {
    refuseOthers(input, ['GroupId', 'IpPermissions']);
    const rules = find(input.GroupId)[direction];
    const added = (input.IpPermissions ?? []).flatMap((permission) => parseRules(world, permission));
    for (const rule of added) {
      if (rules.some((each) => isSame(each, rule))) {
        throw new ServiceError(
          'InvalidPermission.Duplicate',
          `the specified rule "${JSON.stringify(rule.peer)}, ${rule.protocol}, ${rule.ports?.join(' to ') ?? 'all ports'}" already exists`,
        );
      }
    }
    rules.push(...added);
    await world.networkChanged();
    return { Return: true };
  }

  async function revoke(input: Change, direction: 'ingress' | 'egress'): Promise<{ Return: boolean }> {
    refuseOthers(input, ['GroupId', 'IpPermissions']);
    const rules = find(input.GroupId)[direction];
    for (const rule of (input.IpPermissions ?? []).flatMap((permission) => parseRules(world, permission))) {
      const index = rules.findIndex((each) => isSame(each, rule));
      if (index === -1) {
        throw new ServiceError(
          'InvalidPermission.NotFound',
          'The specified rule does not exist in this security group.',
        );
      }
      rules.splice(index, 1);
    }
    await world.networkChanged();
    return { Return: true };
  }

  return {
    CreateSecurityGroup(input: CreateSecurityGroupRequest): CreateSecurityGroupResult {
      refuseOthers(input, ['GroupName', 'Description', 'VpcId', 'TagSpecifications']);
      const { vpcId } = vpcs.vpc(input.VpcId);
      const groupName = input.GroupName ?? '';
      for (const other of world.securityGroups.values()) {
        if (other.vpcId === vpcId && other.groupName === groupName) {
          throw new ServiceError(
            'InvalidGroup.Duplicate',
            `The security group '${groupName}' already exists for VPC '${vpcId}'`,
          );
        }
      }
      const group: SecurityGroup = {
        groupId: newId('sg'),
        groupName,
        description: input.Description ?? '',
        vpcId,
        tags: tagsOf(input.TagSpecifications, 'security-group'),
        ingress: [],
        // Source: VPC user guide, "Security group rules": a new group lets everything out.
        egress: [EVERYTHING],
      };
      world.securityGroups.set(group.groupId, group);
      return { GroupId: group.groupId, Tags: tagList(group.tags) };
    },
    AuthorizeSecurityGroupIngress: (input: AuthorizeSecurityGroupIngressRequest) => authorize(input, 'ingress'),
    AuthorizeSecurityGroupEgress: (input: AuthorizeSecurityGroupEgressRequest) => authorize(input, 'egress'),
    RevokeSecurityGroupIngress: (input: RevokeSecurityGroupIngressRequest) => revoke(input, 'ingress'),
    RevokeSecurityGroupEgress: (input: RevokeSecurityGroupEgressRequest) => revoke(input, 'egress'),
    DeleteSecurityGroup(input: DeleteSecurityGroupRequest): Record<string, never> {
      refuseOthers(input, ['GroupId']);
      const { groupId } = find(input.GroupId);
      const has = (ids: readonly string[] | undefined): boolean => ids?.includes(groupId) === true;
      const names = ({ ingress, egress }: SecurityGroup): boolean =>
        [...ingress, ...egress].some(({ peer }) => 'groupId' in peer && peer.groupId === groupId);
      const dependents = [
        ...[...world.instances.values()]
          .filter(({ launch }) => has(launch?.securityGroupIds))
          .map((each) => each.instanceId),
        ...[...world.networkInterfaces.values()]
          .filter(({ securityGroupIds }) => has(securityGroupIds))
          .map(({ networkInterfaceId }) => networkInterfaceId),
        ...[...world.securityGroups.values()]
          .filter((other) => other.groupId !== groupId && names(other))
          .map((other) => other.groupId),
      ];
      requireUnused('resource', groupId, dependents);
      world.securityGroups.delete(groupId);
      return {};
    },
    DescribeSecurityGroups(input: DescribeSecurityGroupsRequest): DescribeSecurityGroupsResult {
      const items = named(world.securityGroups, input.GroupIds, 'security group', NOT_FOUND);
      const { page, nextToken } = paged(
        filtered(items, input.Filters, FILTERS, ({ tags }) => tags),
        input,
      );
      return {
        SecurityGroups: page.map((group) => ({
          GroupId: group.groupId,
          GroupName: group.groupName,
          Description: group.description,
          VpcId: group.vpcId,
          OwnerId: ACCOUNT_ID,
          IpPermissions: group.ingress.map(describeRule),
          IpPermissionsEgress: group.egress.map(describeRule),
          Tags: tagList(group.tags),
        })),
        NextToken: nextToken,
      };
    },
  };
};

/** A rule for each peer. @throws ServiceError InvalidGroup.NotFound | InvalidParameterValue | UnsupportedOperation */
function parseRules(world: World, permission: IpPermission): SecurityGroupRule[] {
  refuseOthers(permission, ['IpProtocol', 'FromPort', 'ToPort', 'IpRanges', 'UserIdGroupPairs']);
  const { IpProtocol = '', FromPort: from, ToPort: to, IpRanges = [], UserIdGroupPairs = [] } = permission;
  if (!['tcp', 'udp', 'icmp', '-1'].includes(IpProtocol)) {
    throw new ServiceError('InvalidParameterValue', `Invalid value '${IpProtocol}' for IP protocol. Unknown protocol.`);
  }
  const hasPorts = IpProtocol === 'tcp' || IpProtocol === 'udp';
  if (hasPorts && (from === undefined || to === undefined || from > to || from < 0 || to > 65_535)) {
    throw new ServiceError('InvalidParameterValue', `Invalid value '${from} to ${to}' for portRange.`);
  }
  const ports = hasPorts ? ([from ?? 0, to ?? 65_535] as const) : undefined;
  const rules = [
    ...IpRanges.map(({ CidrIp = '', Description }) => {
      parseBlock(CidrIp);
      return { protocol: IpProtocol, ports, peer: { cidr: CidrIp }, description: Description };
    }),
    ...UserIdGroupPairs.map(({ GroupId, Description }) => {
      const { groupId } = existing(world.securityGroups, GroupId, NOT_FOUND, 'security group');
      return { protocol: IpProtocol, ports, peer: { groupId }, description: Description };
    }),
  ];
  if (rules.length === 0) throw new ServiceError('MissingParameter', 'Missing source specification');
  return rules;
}

const isSame = (left: SecurityGroupRule, right: SecurityGroupRule): boolean =>
  left.protocol === right.protocol &&
  String(left.ports) === String(right.ports) &&
  JSON.stringify(left.peer) === JSON.stringify(right.peer);

const describeRule = ({ protocol, ports, peer, description }: SecurityGroupRule): IpPermission => ({
  IpProtocol: protocol,
  FromPort: ports?.[0],
  ToPort: ports?.[1],
  IpRanges: 'cidr' in peer ? [{ CidrIp: peer.cidr, Description: description }] : [],
  UserIdGroupPairs: 'groupId' in peer ? [{ GroupId: peer.groupId, UserId: ACCOUNT_ID, Description: description }] : [],
});
