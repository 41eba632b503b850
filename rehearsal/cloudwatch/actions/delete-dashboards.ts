import type { DeleteDashboardsInput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

/** "If there is an error … no dashboards are deleted." */
export const deleteDashboards =
  ({ dashboards }: CloudWatchParts) =>
  (input: DeleteDashboardsInput) => {
    const found = (input.DashboardNames ?? []).map((name) => dashboards.get(name));
    for (const { name } of found) dashboards.delete(name);
    return {};
  };
