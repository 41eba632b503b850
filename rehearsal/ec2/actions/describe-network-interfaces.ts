import type { DescribeNetworkInterfacesRequest, DescribeNetworkInterfacesResult } from '@aws-sdk/client-ec2';
import { ACCOUNT_ID, type NetworkInterface, type World } from '../../world.ts';
import { type FilterValues, filtered } from '../filters.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';

/** The interfaces of load balancers' nodes. Instances have theirs on AWS too; nobody in the rehearsal asks for those. */
export const describeNetworkInterfaces = (world: World) => {
  const subnetOf = (item: NetworkInterface) => world.subnets.get(item.subnetId);
  const filters: FilterValues<NetworkInterface> = {
    description: (item) => [item.description],
    'network-interface-id': (item) => [item.networkInterfaceId],
    'private-ip-address': (item) => [item.privateIpAddress],
    'addresses.private-ip-address': (item) => [item.privateIpAddress],
    'subnet-id': (item) => [item.subnetId],
    'vpc-id': (item) => [subnetOf(item)?.vpcId ?? ''],
    'availability-zone': (item) => [subnetOf(item)?.availabilityZone ?? ''],
    'group-id': (item) => item.securityGroupIds ?? [],
    'requester-id': () => [REQUESTER],
    status: () => ['in-use'],
  };

  return (input: DescribeNetworkInterfacesRequest): DescribeNetworkInterfacesResult => {
    const items = named(
      world.networkInterfaces,
      input.NetworkInterfaceIds,
      'networkInterface ID',
      'InvalidNetworkInterfaceID.NotFound',
    );
    const { page, nextToken } = paged(filtered(items, input.Filters, filters), input);
    return {
      NetworkInterfaces: page.map((item) => ({
        NetworkInterfaceId: item.networkInterfaceId,
        Description: item.description,
        PrivateIpAddress: item.privateIpAddress,
        PrivateIpAddresses: [{ Primary: true, PrivateIpAddress: item.privateIpAddress }],
        SubnetId: item.subnetId,
        VpcId: subnetOf(item)?.vpcId,
        AvailabilityZone: subnetOf(item)?.availabilityZone,
        InterfaceType: 'interface',
        RequesterId: REQUESTER,
        RequesterManaged: true,
        OwnerId: ACCOUNT_ID,
        Status: 'in-use',
        Groups: (item.securityGroupIds ?? []).map((GroupId) => ({
          GroupId,
          GroupName: world.securityGroups.get(GroupId)?.groupName,
        })),
        Ipv6Addresses: [],
        TagSet: [],
      })),
      NextToken: nextToken,
    };
  };
};

/** Who made a load balancer's interfaces, as EC2 shows it. */
const REQUESTER = 'amazon-elb';
