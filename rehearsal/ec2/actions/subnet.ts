import type {
  CreateSubnetRequest,
  CreateSubnetResult,
  DeleteSubnetRequest,
  ModifySubnetAttributeRequest,
} from '@aws-sdk/client-ec2';
import { ServiceError } from '../../aws/service.ts';
import { AVAILABILITY_ZONES, type Subnet } from '../../world.ts';
import { isWithin, overlaps, parseBlock } from '../addresses.ts';
import { existing, newId, refuseOthers, requireUnused, tagsOf } from '../items.ts';
import type { Ec2Parts } from '../parts.ts';
import { describeSubnet } from './describe-subnets.ts';

export const subnetActions = ({ world, vpcs }: Ec2Parts) => ({
  CreateSubnet(input: CreateSubnetRequest): CreateSubnetResult {
    refuseOthers(input, ['VpcId', 'CidrBlock', 'AvailabilityZone', 'TagSpecifications']);
    const { vpcId, cidrBlock: within } = vpcs.vpc(input.VpcId);
    parseBlock(input.CidrBlock);
    const cidrBlock = input.CidrBlock ?? '';
    if (!isWithin(cidrBlock, within)) {
      throw new ServiceError('InvalidSubnet.Range', `The CIDR '${cidrBlock}' is invalid: it is not within ${within}`);
    }
    for (const other of world.subnets.values()) {
      if (other.vpcId === vpcId && overlaps(other.cidrBlock, cidrBlock)) {
        throw new ServiceError('InvalidSubnet.Conflict', `The CIDR '${cidrBlock}' conflicts with another subnet`);
      }
    }
    const availabilityZone = input.AvailabilityZone ?? AVAILABILITY_ZONES[0];
    if (!AVAILABILITY_ZONES.some((zone) => zone === availabilityZone)) {
      throw new ServiceError(
        'InvalidParameterValue',
        `Value (${availabilityZone}) for parameter availabilityZone is invalid. Subnets can currently only be created in the following availability zones: ${AVAILABILITY_ZONES.join(', ')}.`,
      );
    }
    const tags = tagsOf(input.TagSpecifications, 'subnet');
    const subnet: Subnet = { subnetId: newId('subnet'), vpcId, cidrBlock, availabilityZone, tags };
    world.subnets.set(subnet.subnetId, subnet);
    return { Subnet: describeSubnet(subnet) };
  },
  /** Kept, without effect: every host reaches the gateway, and nothing else is outside. */
  ModifySubnetAttribute(input: ModifySubnetAttributeRequest): Record<string, never> {
    refuseOthers(input, ['SubnetId', 'MapPublicIpOnLaunch']);
    const { subnetId } = existing(world.subnets, input.SubnetId, 'InvalidSubnetID.NotFound', 'subnet ID');
    vpcs.mapsPublicAddresses.set(subnetId, input.MapPublicIpOnLaunch?.Value === true);
    return {};
  },
  DeleteSubnet({ SubnetId }: DeleteSubnetRequest): Record<string, never> {
    const { subnetId } = existing(world.subnets, SubnetId, 'InvalidSubnetID.NotFound', 'subnet ID');
    requireUnused('subnet', subnetId, [
      ...[...world.instances.values()]
        .filter(({ launch }) => launch?.subnetId === subnetId)
        .map((each) => each.instanceId),
      ...[...world.networkInterfaces.values()]
        .filter((each) => each.subnetId === subnetId)
        .map(({ networkInterfaceId }) => networkInterfaceId),
    ]);
    world.subnets.delete(subnetId);
    vpcs.mapsPublicAddresses.delete(subnetId);
    // As on AWS: associations go with their subnet.
    for (const { associations } of vpcs.routeTables.values()) {
      for (const [id, associated] of associations) if (associated === subnetId) associations.delete(id);
    }
    return {};
  },
});
