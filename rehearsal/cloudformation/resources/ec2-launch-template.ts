import type { ResourceType } from '../resource-type.ts';
import { requireUpdatable, unlessGone } from './made-by-api.ts';
import { object, text } from './properties.ts';

/** An update makes a new version: instances that are there stay as they were launched. */
export const ec2LaunchTemplate: ResourceType = {
  name: 'AWS::EC2::LaunchTemplate',
  properties: ['LaunchTemplateName', 'LaunchTemplateData', 'TagSpecifications'],
  required: ['LaunchTemplateData'],
  replacedBy: ['LaunchTemplateName'],
  attributes: ['LaunchTemplateId', 'DefaultVersionNumber', 'LatestVersionNumber'],
  async create(properties, context) {
    const { LaunchTemplate } = (await context.call('ec2', 'CreateLaunchTemplate', {
      LaunchTemplateName: text(properties.LaunchTemplateName) ?? context.generateName(128),
      LaunchTemplateData: object(properties.LaunchTemplateData),
      TagSpecifications: properties.TagSpecifications ?? [],
    })) as { LaunchTemplate: { LaunchTemplateId: string } };
    const { LaunchTemplateId } = LaunchTemplate;
    const attributes = { LaunchTemplateId, DefaultVersionNumber: '1', LatestVersionNumber: '1' };
    return { physicalResourceId: LaunchTemplateId, attributes };
  },
  async update(existing, properties, context) {
    requireUpdatable(existing, properties, ['LaunchTemplateData']);
    const { LaunchTemplateVersion } = (await context.call('ec2', 'CreateLaunchTemplateVersion', {
      LaunchTemplateId: existing.physicalResourceId,
      LaunchTemplateData: object(properties.LaunchTemplateData),
    })) as { LaunchTemplateVersion: { VersionNumber: number } };
    const LatestVersionNumber = String(LaunchTemplateVersion.VersionNumber);
    return { ...existing, attributes: { ...existing.attributes, LatestVersionNumber } };
  },
  delete: ({ physicalResourceId }, context) =>
    unlessGone(
      context.call('ec2', 'DeleteLaunchTemplate', { LaunchTemplateId: physicalResourceId }),
      /^InvalidLaunchTemplateId\.NotFound$/,
    ),
};
