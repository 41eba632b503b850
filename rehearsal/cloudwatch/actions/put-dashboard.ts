import type { PutDashboardInput, PutDashboardOutput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

export const putDashboard =
  ({ dashboards }: CloudWatchParts) =>
  (input: PutDashboardInput): PutDashboardOutput => {
    dashboards.put(input.DashboardName ?? '', input.DashboardBody ?? '');
    return { DashboardValidationMessages: [] };
  };
