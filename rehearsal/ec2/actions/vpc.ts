import type {
  CreateVpcRequest,
  CreateVpcResult,
  DeleteVpcRequest,
  DescribeVpcsRequest,
  DescribeVpcsResult,
  ModifyVpcAttributeRequest,
  Vpc as VpcAnswer,
} from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID } from '../../world.ts';
import { isWithin, parseBlock } from '../addresses.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { newId, refuseOthers, requireUnused, tagList, tagsOf } from '../items.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';
import type { Ec2Parts } from '../parts.ts';
import type { Vpc } from '../vpc-store.ts';

/** All that the rehearsal's link reaches (`network/fabric.ts`). */
const LINK = '10.0.0.0/16';

const FILTERS: FilterValues<Vpc> = {
  'vpc-id': ({ vpcId }) => [vpcId],
  cidr: ({ cidrBlock }) => [cidrBlock],
  state: () => ['available'],
};

export const vpcActions = ({ world, vpcs }: Ec2Parts) => ({
  CreateVpc(input: CreateVpcRequest): CreateVpcResult {
    refuseOthers(input, ['CidrBlock', 'TagSpecifications']);
    parseBlock(input.CidrBlock);
    const cidrBlock = input.CidrBlock ?? '';
    if (!isWithin(cidrBlock, LINK)) {
      throw new ServiceError(
        'InvalidVpc.Range',
        `The CIDR '${cidrBlock}' is invalid: the rehearsal's network is ${LINK}`,
      );
    }
    const tags = tagsOf(input.TagSpecifications, 'vpc');
    const vpc: Vpc = { vpcId: newId('vpc'), cidrBlock, tags, hasDnsSupport: true, hasDnsHostnames: false };
    vpcs.vpcs.set(vpc.vpcId, vpc);
    return { Vpc: describe(vpc) };
  },
  /** Kept, without effect: the rehearsal has no DNS. */
  ModifyVpcAttribute(input: ModifyVpcAttributeRequest): Record<string, never> {
    refuseOthers(input, ['VpcId', 'EnableDnsSupport', 'EnableDnsHostnames']);
    const vpc = vpcs.vpc(input.VpcId);
    vpc.hasDnsSupport = input.EnableDnsSupport?.Value ?? vpc.hasDnsSupport;
    vpc.hasDnsHostnames = input.EnableDnsHostnames?.Value ?? vpc.hasDnsHostnames;
    return {};
  },
  DeleteVpc({ VpcId }: DeleteVpcRequest): Record<string, never> {
    const { vpcId } = vpcs.vpc(VpcId);
    const isIn = (item: { readonly vpcId: string | undefined }): boolean => item.vpcId === vpcId;
    requireUnused('vpc', vpcId, [
      ...[...world.subnets.values()].filter(isIn).map(({ subnetId }) => subnetId),
      ...[...world.securityGroups.values()].filter(isIn).map(({ groupId }) => groupId),
      ...[...vpcs.routeTables.values()].filter(isIn).map(({ routeTableId }) => routeTableId),
      ...[...vpcs.internetGateways.values()].filter(isIn).map(({ internetGatewayId }) => internetGatewayId),
    ]);
    vpcs.vpcs.delete(vpcId);
    return {};
  },
  DescribeVpcs(input: DescribeVpcsRequest): DescribeVpcsResult {
    const items = named(vpcs.vpcs, input.VpcIds, 'vpc ID', 'InvalidVpcID.NotFound');
    const { page, nextToken } = paged(
      filtered(items, input.Filters, FILTERS, ({ tags }) => tags),
      input,
    );
    return { Vpcs: page.map(describe), NextToken: nextToken };
  },
});

const describe = ({ vpcId, cidrBlock, tags }: Vpc): VpcAnswer => ({
  VpcId: vpcId,
  CidrBlock: cidrBlock,
  State: 'available',
  OwnerId: ACCOUNT_ID,
  IsDefault: false,
  Tags: tagList(tags),
});
