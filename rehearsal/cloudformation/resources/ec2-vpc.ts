import type { JsonObject } from '../json.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { finishOrDelete, isTrue, requireUpdatable, tagSpecifications, unlessGone } from './made-by-api.ts';
import { text } from './properties.ts';

const ATTRIBUTES = ['EnableDnsSupport', 'EnableDnsHostnames'] as const;

export const ec2Vpc: ResourceType = {
  name: 'AWS::EC2::VPC',
  properties: ['CidrBlock', ...ATTRIBUTES, 'Tags'],
  required: ['CidrBlock'],
  replacedBy: ['CidrBlock'],
  attributes: ['VpcId', 'CidrBlock'],
  async create(properties, context) {
    const { Vpc } = (await context.call('ec2', 'CreateVpc', {
      CidrBlock: text(properties.CidrBlock),
      TagSpecifications: tagSpecifications('vpc', properties, context),
    })) as { Vpc: { VpcId: string; CidrBlock: string } };
    await finishOrDelete(Vpc.VpcId, setAttributes(Vpc.VpcId, properties, context));
    return { physicalResourceId: Vpc.VpcId, attributes: { VpcId: Vpc.VpcId, CidrBlock: Vpc.CidrBlock } };
  },
  async update(existing, properties, context) {
    requireUpdatable(existing, properties, ATTRIBUTES);
    await setAttributes(existing.physicalResourceId, properties, context);
    return existing;
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(context.call('ec2', 'DeleteVpc', { VpcId: physicalResourceId }), /^InvalidVpcID\.NotFound$/),
};

/** One attribute for each call, as the API reference has it. */
async function setAttributes(vpcId: string, properties: JsonObject, context: ResourceContext): Promise<void> {
  for (const name of ATTRIBUTES) {
    if (properties[name] === undefined) continue;
    await context.call('ec2', 'ModifyVpcAttribute', { VpcId: vpcId, [name]: { Value: isTrue(properties[name]) } });
  }
}
