import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, tagSpecifications, unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';

export const ec2RouteTable: ResourceType = {
  name: 'AWS::EC2::RouteTable',
  properties: ['VpcId', 'Tags'],
  required: ['VpcId'],
  replacedBy: ['VpcId'],
  attributes: ['RouteTableId'],
  async create(properties, context) {
    const { RouteTable } = (await context.call('ec2', 'CreateRouteTable', {
      VpcId: text(properties.VpcId),
      TagSpecifications: tagSpecifications('route-table', properties, context),
    })) as { RouteTable: { RouteTableId: string } };
    const { RouteTableId } = RouteTable;
    return { physicalResourceId: RouteTableId, attributes: { RouteTableId } };
  },
  async update(existing, properties) {
    requireUpdatable(existing, properties, []);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(
      context.call('ec2', 'DeleteRouteTable', { RouteTableId: physicalResourceId }),
      /^InvalidRouteTableID\.NotFound$/,
    ),
};
