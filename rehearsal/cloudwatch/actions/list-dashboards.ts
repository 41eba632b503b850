import type { ListDashboardsInput, ListDashboardsOutput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

export const listDashboards =
  ({ dashboards }: CloudWatchParts) =>
  (input: ListDashboardsInput): ListDashboardsOutput => ({
    DashboardEntries: dashboards
      .all()
      .filter(({ name }) => name.startsWith(input.DashboardNamePrefix ?? ''))
      .map(({ name, arn, body, modifiedAt }) => ({
        DashboardName: name,
        DashboardArn: arn,
        LastModified: new Date(modifiedAt),
        Size: Buffer.byteLength(body),
      })),
  });
