import type { GetDashboardInput, GetDashboardOutput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

export const getDashboard =
  ({ dashboards }: CloudWatchParts) =>
  (input: GetDashboardInput): GetDashboardOutput => {
    const { name, arn, body } = dashboards.get(input.DashboardName ?? '');
    return { DashboardName: name, DashboardArn: arn, DashboardBody: body };
  };
