import type { DescribeSubnetsRequest, DescribeSubnetsResult, Subnet as SubnetAnswer } from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, type Subnet, type World } from '../../world.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { tagList } from '../items.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';

const FILTERS: FilterValues<Subnet> = {
  'subnet-id': (subnet) => [subnet.subnetId],
  'vpc-id': (subnet) => [subnet.vpcId],
  'availability-zone': (subnet) => [subnet.availabilityZone],
  'cidr-block': (subnet) => [subnet.cidrBlock],
};

export const describeSubnets =
  (world: World) =>
  (input: DescribeSubnetsRequest): DescribeSubnetsResult => {
    const subnets = named(world.subnets, input.SubnetIds, 'subnet ID', 'InvalidSubnetID.NotFound');
    const { page, nextToken } = paged(
      filtered(subnets, input.Filters, FILTERS, ({ tags = {} }) => tags),
      input,
    );
    return {
      Subnets: page.map(describeSubnet),
      NextToken: nextToken,
    };
  };

export const describeSubnet = ({ subnetId, vpcId, cidrBlock, availabilityZone, tags = {} }: Subnet): SubnetAnswer => ({
  SubnetId: subnetId,
  VpcId: vpcId,
  CidrBlock: cidrBlock,
  AvailabilityZone: availabilityZone,
  State: 'available',
  OwnerId: ACCOUNT_ID,
  Ipv6CidrBlockAssociationSet: [],
  Tags: tagList(tags),
});
