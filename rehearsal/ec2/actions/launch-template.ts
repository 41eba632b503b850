import type {
  CreateLaunchTemplateRequest,
  CreateLaunchTemplateResult,
  CreateLaunchTemplateVersionRequest,
  CreateLaunchTemplateVersionResult,
  DeleteLaunchTemplateRequest,
  DeleteLaunchTemplateResult,
  DescribeLaunchTemplatesRequest,
  DescribeLaunchTemplatesResult,
  DescribeLaunchTemplateVersionsRequest,
  DescribeLaunchTemplateVersionsResult,
  LaunchTemplate as LaunchTemplateAnswer,
  LaunchTemplateVersion,
  RequestLaunchTemplateData,
} from '@aws-sdk/client-ec2';
import { refuseOthers, tagList, tagsOf } from '../items.ts';
import type { LaunchTemplate } from '../launch-templates.ts';
import { named } from '../named.ts';
import { paged } from '../paging.ts';
import type { Ec2Parts } from '../parts.ts';

export const launchTemplateActions = ({ launchTemplates }: Ec2Parts) => ({
  CreateLaunchTemplate(input: CreateLaunchTemplateRequest): CreateLaunchTemplateResult {
    refuseOthers(input, ['LaunchTemplateName', 'LaunchTemplateData', 'TagSpecifications']);
    const tags = tagsOf(input.TagSpecifications, 'launch-template');
    return {
      LaunchTemplate: describe(
        launchTemplates.create(input.LaunchTemplateName ?? '', input.LaunchTemplateData ?? {}, tags),
      ),
    };
  },
  CreateLaunchTemplateVersion(input: CreateLaunchTemplateVersionRequest): CreateLaunchTemplateVersionResult {
    refuseOthers(input, ['LaunchTemplateId', 'LaunchTemplateName', 'LaunchTemplateData']);
    const template = launchTemplates.find(input);
    const data = input.LaunchTemplateData ?? {};
    return { LaunchTemplateVersion: describeVersion(template, launchTemplates.addVersion(template, data), data) };
  },
  /** Instances that were launched from it stay. */
  DeleteLaunchTemplate(input: DeleteLaunchTemplateRequest): DeleteLaunchTemplateResult {
    const template = launchTemplates.find(input);
    launchTemplates.templates.delete(template.launchTemplateId);
    return { LaunchTemplate: describe(template) };
  },
  DescribeLaunchTemplates(input: DescribeLaunchTemplatesRequest): DescribeLaunchTemplatesResult {
    refuseOthers(input, ['LaunchTemplateIds', 'LaunchTemplateNames', 'MaxResults', 'NextToken']);
    const byName = (input.LaunchTemplateNames ?? []).map((name) => launchTemplates.find({ LaunchTemplateName: name }));
    const items =
      byName.length > 0
        ? byName
        : named(
            launchTemplates.templates,
            input.LaunchTemplateIds,
            'launch template',
            'InvalidLaunchTemplateId.NotFound',
          );
    const { page, nextToken } = paged(items, input);
    return { LaunchTemplates: page.map(describe), NextToken: nextToken };
  },
  DescribeLaunchTemplateVersions(input: DescribeLaunchTemplateVersionsRequest): DescribeLaunchTemplateVersionsResult {
    refuseOthers(input, ['LaunchTemplateId', 'LaunchTemplateName', 'Versions', 'MaxResults', 'NextToken']);
    const template = launchTemplates.find(input);
    const wanted = input.Versions ?? template.versions.map((_, index) => String(index + 1));
    const { page, nextToken } = paged(wanted, input);
    return {
      LaunchTemplateVersions: page.map((version) => {
        const { number, data } = launchTemplates.version(template, version);
        return describeVersion(template, number, data);
      }),
      NextToken: nextToken,
    };
  },
});

const describe = ({
  launchTemplateId,
  name,
  createdAt,
  defaultVersion,
  versions,
  tags,
}: LaunchTemplate): LaunchTemplateAnswer => ({
  LaunchTemplateId: launchTemplateId,
  LaunchTemplateName: name,
  CreateTime: createdAt,
  DefaultVersionNumber: defaultVersion,
  LatestVersionNumber: versions.length,
  Tags: tagList(tags),
});

const describeVersion = (
  { launchTemplateId, name, createdAt, defaultVersion }: LaunchTemplate,
  number: number,
  data: RequestLaunchTemplateData,
): LaunchTemplateVersion => ({
  LaunchTemplateId: launchTemplateId,
  LaunchTemplateName: name,
  VersionNumber: number,
  DefaultVersion: number === defaultVersion,
  CreateTime: createdAt,
  LaunchTemplateData: data as NonNullable<LaunchTemplateVersion['LaunchTemplateData']>,
});
