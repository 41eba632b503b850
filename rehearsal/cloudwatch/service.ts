/** CloudWatch: metrics (out of log lines, and by PutMetricData), alarms that are evaluated and tell their topics, dashboards. */
import type { Dispatcher, Service } from '../aws/service.ts';
import { serviceKey } from '../aws/service-caller.ts';
import { alarmActions } from './actions/alarm-actions.ts';
import { deleteAlarms } from './actions/delete-alarms.ts';
import { deleteDashboards } from './actions/delete-dashboards.ts';
import { describeAlarmHistory } from './actions/describe-alarm-history.ts';
import { describeAlarms } from './actions/describe-alarms.ts';
import { getDashboard } from './actions/get-dashboard.ts';
import { getMetricData } from './actions/get-metric-data.ts';
import { getMetricStatistics } from './actions/get-metric-statistics.ts';
import { listDashboards } from './actions/list-dashboards.ts';
import { listMetrics } from './actions/list-metrics.ts';
import { putDashboard } from './actions/put-dashboard.ts';
import { putMetricAlarm } from './actions/put-metric-alarm.ts';
import { putMetricData } from './actions/put-metric-data.ts';
import { setAlarmState } from './actions/set-alarm-state.ts';
import { AlarmStore } from './alarms.ts';
import { DashboardStore } from './dashboards.ts';
import { embeddedMetrics } from './embedded-metrics.ts';
import { type MetricId, MetricStore } from './metric-store.ts';
import type { CloudWatchParts } from './parts.ts';

export interface CloudWatchService extends Service {
  /** Takes the metrics out of a log line, if it has some. */
  readLogLine(line: string): void;
  /** A service's own metric: `AWS/Lambda`, `AWS/Events`. */
  measure(id: MetricId, value: number, unit: string): void;
  /** What of log lines was meant as a metric and is none, with the reason: on AWS nobody would ever be told. */
  readonly refusedMetrics: readonly string[];
  /** Look at every alarm, as CloudWatch would at that time; a scenario that cannot wait names a later one. */
  evaluateAlarms(at?: number): Promise<void>;
  close(): void;
}

export interface CloudWatchOptions {
  /** For the alarms' topics. */
  readonly dispatcher: () => Dispatcher;
  readonly now?: () => number;
  /** How often alarms are looked at; 0 = only when told to. Default 10,000: CloudWatch does every minute. Unit: milliseconds. */
  readonly evaluateEveryMs?: number;
}

/** Whom SNS sees as the caller, and the topic's policy has to let. */
const PRINCIPAL = 'cloudwatch.amazonaws.com';

export function createCloudWatchService({
  dispatcher,
  now = Date.now,
  evaluateEveryMs = 10_000,
}: CloudWatchOptions): CloudWatchService {
  const metrics = new MetricStore();
  const refusedMetrics: string[] = [];
  const alarms = new AlarmStore({
    metrics,
    now,
    notify: async (sourceArn, TopicArn, Subject, Message) => {
      const caller = serviceKey({ principal: PRINCIPAL, sourceArn });
      await dispatcher().call('sns', 'Publish', { TopicArn, Subject, Message }, caller);
    },
  });
  const parts: CloudWatchParts = { metrics, alarms, dashboards: new DashboardStore(now), now };
  const timer =
    evaluateEveryMs === 0 ? undefined : setInterval(() => void alarms.evaluateAll(now()), evaluateEveryMs).unref();
  return {
    signingName: 'monitoring',
    protocol: 'awsQuery',
    alsoSpeaks: ['rpcV2Cbor', 'awsJson1_0'],
    readLogLine(line) {
      const embedded = embeddedMetrics(line);
      for (const { id, sample } of embedded?.metrics ?? []) metrics.put(id, sample);
      for (const why of embedded?.why ?? []) refusedMetrics.push(`${why}: ${line.slice(0, 200)}`);
    },
    measure: (id, value, unit) => metrics.put(id, { at: now(), value, count: 1, unit }),
    refusedMetrics,
    evaluateAlarms: (at = now()) => alarms.evaluateAll(at),
    close: () => clearInterval(timer),
    actions: {
      DeleteAlarms: deleteAlarms(parts),
      DeleteDashboards: deleteDashboards(parts),
      DescribeAlarmHistory: describeAlarmHistory(parts),
      DescribeAlarms: describeAlarms(parts),
      DisableAlarmActions: alarmActions(false)(parts),
      EnableAlarmActions: alarmActions(true)(parts),
      GetDashboard: getDashboard(parts),
      GetMetricData: getMetricData(parts),
      GetMetricStatistics: getMetricStatistics(parts),
      ListDashboards: listDashboards(parts),
      ListMetrics: listMetrics(parts),
      PutDashboard: putDashboard(parts),
      PutMetricAlarm: putMetricAlarm(parts),
      PutMetricData: putMetricData(parts),
      SetAlarmState: setAlarmState(parts),
    },
  };
}
