import type { AlarmStore } from './alarms.ts';
import type { DashboardStore } from './dashboards.ts';
import type { MetricStore } from './metric-store.ts';

/** What the actions work with. */
export interface CloudWatchParts {
  readonly metrics: MetricStore;
  readonly alarms: AlarmStore;
  readonly dashboards: DashboardStore;
  readonly now: () => number;
}
