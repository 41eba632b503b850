/** Launch templates: versions of what an instance is to be, of which a later one does not touch instances that are there. */
import type { RequestLaunchTemplateData } from '@aws-sdk/client-ec2';
import { ServiceError } from '../aws/service.ts';
import { newId, refuseOthers, type Tags } from './items.ts';

export interface LaunchTemplate {
  readonly launchTemplateId: string;
  readonly name: string;
  readonly createdAt: Date;
  readonly tags: Tags;
  /** Version 1 is the first. */
  readonly versions: RequestLaunchTemplateData[];
  defaultVersion: number;
}

const DATA = [
  'ImageId',
  'InstanceType',
  'IamInstanceProfile',
  'SecurityGroupIds',
  'MetadataOptions',
  'UserData',
  'TagSpecifications',
];

export class LaunchTemplateStore {
  readonly templates = new Map<string, LaunchTemplate>();

  /** @throws ServiceError InvalidLaunchTemplateName.AlreadyExistsException | UnsupportedOperation */
  create(name: string, data: RequestLaunchTemplateData, tags: Tags): LaunchTemplate {
    if ([...this.templates.values()].some((each) => each.name === name)) {
      throw new ServiceError(
        'InvalidLaunchTemplateName.AlreadyExistsException',
        `Launch template name already in use: ${name}.`,
      );
    }
    refuseOthers(data, DATA);
    const template: LaunchTemplate = {
      launchTemplateId: newId('lt'),
      name,
      createdAt: new Date(),
      tags,
      versions: [data],
      defaultVersion: 1,
    };
    this.templates.set(template.launchTemplateId, template);
    return template;
  }

  /** @returns the new version's number */
  addVersion(template: LaunchTemplate, data: RequestLaunchTemplateData): number {
    refuseOthers(data, DATA);
    return template.versions.push(data);
  }

  /** By id or name. @throws ServiceError InvalidLaunchTemplateId.NotFound | InvalidLaunchTemplateName.NotFoundException */
  find(wanted: { LaunchTemplateId?: string | undefined; LaunchTemplateName?: string | undefined }): LaunchTemplate {
    const { LaunchTemplateId: id, LaunchTemplateName: name } = wanted;
    const found =
      id !== undefined ? this.templates.get(id) : [...this.templates.values()].find((each) => each.name === name);
    if (found !== undefined) return found;
    throw id !== undefined
      ? new ServiceError(
          'InvalidLaunchTemplateId.NotFound',
          `The specified launch template, with template ID ${id}, does not exist.`,
        )
      : new ServiceError(
          'InvalidLaunchTemplateName.NotFoundException',
          `The specified launch template, with template name ${name}, does not exist.`,
        );
  }

  /** @param version  a number, `$Latest` or `$Default` @throws ServiceError InvalidLaunchTemplateId.VersionNotFound */
  version(template: LaunchTemplate, version = '$Default'): { number: number; data: RequestLaunchTemplateData } {
    const { versions, defaultVersion } = template;
    const number = version === '$Latest' ? versions.length : version === '$Default' ? defaultVersion : Number(version);
    const data = versions[number - 1];
    if (data === undefined) {
      throw new ServiceError(
        'InvalidLaunchTemplateId.VersionNotFound',
        `Could not find the specified version ${version} for the launch template with ID ${template.launchTemplateId}.`,
      );
    }
    return { number, data };
  }
}
