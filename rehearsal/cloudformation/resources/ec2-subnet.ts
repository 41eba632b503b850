import type { JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { finishOrDelete, isTrue, requireUpdatable, tagSpecifications, unlessGone } from './made-by-api.ts';
import { defined, text } from './properties.ts';

export const ec2Subnet: ResourceType = {
  name: 'AWS::EC2::Subnet',
  properties: ['VpcId', 'CidrBlock', 'AvailabilityZone', 'MapPublicIpOnLaunch', 'Tags'],
  required: ['VpcId'],
  replacedBy: ['VpcId', 'CidrBlock', 'AvailabilityZone'],
  attributes: ['SubnetId', 'VpcId', 'CidrBlock', 'AvailabilityZone'],
  async create(properties, context) {
    const { Subnet } = (await context.call('ec2', 'CreateSubnet', {
      ...defined({
        VpcId: text(properties.VpcId),
        CidrBlock: text(properties.CidrBlock),
        AvailabilityZone: text(properties.AvailabilityZone),
      }),
      TagSpecifications: tagSpecifications('subnet', properties, context),
    })) as { Subnet: { SubnetId: string; VpcId: string; CidrBlock: string; AvailabilityZone: string } };
    const { SubnetId, VpcId, CidrBlock, AvailabilityZone } = Subnet;
    await finishOrDelete(SubnetId, mapPublicAddresses(SubnetId, properties, context));
    return { physicalResourceId: SubnetId, attributes: { SubnetId, VpcId, CidrBlock, AvailabilityZone } };
  },
  async update(existing, properties, context) {
    requireUpdatable(existing, properties, ['MapPublicIpOnLaunch']);
    await mapPublicAddresses(existing.physicalResourceId, properties, context);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(context.call('ec2', 'DeleteSubnet', { SubnetId: physicalResourceId }), /^InvalidSubnetID\.NotFound$/),
};

async function mapPublicAddresses(subnetId: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  const { MapPublicIpOnLaunch: wanted } = properties;
  if (wanted === undefined) return;
  await context.call('ec2', 'ModifySubnetAttribute', {
    SubnetId: subnetId,
    MapPublicIpOnLaunch: { Value: isTrue(wanted) },
  });
}
