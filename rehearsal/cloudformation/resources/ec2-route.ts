import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';

/** To an internet gateway; other targets are refused. */
export const ec2Route: ResourceType = {
  name: 'AWS::EC2::Route',
  properties: ['RouteTableId', 'DestinationCidrBlock', 'GatewayId'],
  required: ['RouteTableId', 'DestinationCidrBlock', 'GatewayId'],
  replacedBy: ['RouteTableId', 'DestinationCidrBlock'],
  attributes: ['CidrBlock'],
  async create(properties, context) {
    const [table, destination] = [text(properties.RouteTableId), text(properties.DestinationCidrBlock) ?? ''];
    await context.call('ec2', 'CreateRoute', {
      RouteTableId: table,
      DestinationCidrBlock: destination,
      GatewayId: text(properties.GatewayId),
    });
    return { physicalResourceId: `${table}|${destination}`, attributes: { CidrBlock: destination } };
  },
  async update(existing, properties) {
    requireUpdatable(existing, properties, []);
    return existing;
  },
  delete: ({ properties }, context) =>
    unlessGone(
      context.call('ec2', 'DeleteRoute', {
        RouteTableId: text(properties.RouteTableId),
        DestinationCidrBlock: text(properties.DestinationCidrBlock),
      }),
      /^Invalid(Route|RouteTableID)\.NotFound$/,
    ),
};
