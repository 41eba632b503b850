import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, tagSpecifications, unlessGone } from './made-by-api.ts';

export const ec2InternetGateway: ResourceType = {
  name: 'AWS::EC2::InternetGateway',
  properties: ['Tags'],
  required: [],
  replacedBy: [],
  attributes: ['InternetGatewayId'],
  async create(properties, context) {
    const { InternetGateway } = (await context.call('ec2', 'CreateInternetGateway', {
      TagSpecifications: tagSpecifications('internet-gateway', properties, context),
    })) as { InternetGateway: { InternetGatewayId: string } };
    const { InternetGatewayId } = InternetGateway;
    return { physicalResourceId: InternetGatewayId, attributes: { InternetGatewayId } };
  },
  async update(existing, properties) {
    requireUpdatable(existing, properties, []);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(
      context.call('ec2', 'DeleteInternetGateway', { InternetGatewayId: physicalResourceId }),
      /^InvalidInternetGatewayID\.NotFound$/,
    ),
};
