import type { JsonObject } from '../json.ts';
import type { ResourceType } from '../resource-type.ts';
import { unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';

/** Of an internet gateway; VpnGatewayId is refused. */
export const ec2VpcGatewayAttachment: ResourceType = {
  name: 'AWS::EC2::VPCGatewayAttachment',
  properties: ['VpcId', 'InternetGatewayId'],
  required: ['VpcId', 'InternetGatewayId'],
  replacedBy: ['VpcId', 'InternetGatewayId'],
  attributes: ['AttachmentType'],
  async create(properties, context) {
    await context.call('ec2', 'AttachInternetGateway', ends(properties));
    return { physicalResourceId: `IGW|${text(properties.VpcId)}`, attributes: { AttachmentType: 'IGW' } };
  },
  async update(existing) {
    return existing;
  },
  delete: ({ properties }, context) =>
    unlessGone(
      context.call('ec2', 'DetachInternetGateway', ends(properties)),
      /^(Gateway\.NotAttached|InvalidInternetGatewayID\.NotFound)$/,
    ),
};

const ends = ({ VpcId, InternetGatewayId }: JsonObject) => ({
  VpcId: text(VpcId),
  InternetGatewayId: text(InternetGatewayId),
});
