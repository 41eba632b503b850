import type { ResourceType } from '../resource-type.ts';
import { unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';

export const ec2SubnetRouteTableAssociation: ResourceType = {
  name: 'AWS::EC2::SubnetRouteTableAssociation',
  properties: ['SubnetId', 'RouteTableId'],
  required: ['SubnetId', 'RouteTableId'],
  replacedBy: ['SubnetId', 'RouteTableId'],
  attributes: ['Id'],
  async create(properties, context) {
    const { AssociationId } = (await context.call('ec2', 'AssociateRouteTable', {
      SubnetId: text(properties.SubnetId),
      RouteTableId: text(properties.RouteTableId),
    })) as { AssociationId: string };
    return { physicalResourceId: AssociationId, attributes: { Id: AssociationId } };
  },
  async update(existing) {
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(
      context.call('ec2', 'DisassociateRouteTable', { AssociationId: physicalResourceId }),
      /^InvalidAssociationID\.NotFound$/,
    ),
};
