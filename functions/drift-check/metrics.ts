/**
 * Metrics as lines of the log, which CloudWatch takes out of it (embedded metric format): no call, and no permission.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
import { type LoadBalancerResult, SEVERITIES, type Severity } from './finding.ts';
import type { Totals } from './totals.ts';

const NAMESPACE = 'proxyflip';

type Unit = 'Count' | 'Seconds' | 'None';

/** @param now  milliseconds since the epoch @returns one line of JSON */
function line(
  now: number,
  dimensions: Readonly<Record<string, string>>,
  metrics: Readonly<Record<string, readonly [number, Unit]>>,
): string {
  return JSON.stringify({
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        {
          Namespace: NAMESPACE,
          Dimensions: [Object.keys(dimensions)],
          Metrics: Object.entries(metrics).map(([Name, [, Unit]]) => ({ Name, Unit })),
        },
      ],
    },
    ...dimensions,
    ...Object.fromEntries(Object.entries(metrics).map(([name, [value]]) => [name, value])),
  });
}

/** `EVERY_REQUEST_FAILS` → `EveryRequestFails` */
const metricOf = (severity: Severity): string =>
  severity.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase());

/** Of a complete run; that there is none for an hour is what the alarm on a checker that has stopped goes by. */
export function runMetrics(now: number, stack: string, inScope: number, totals: Totals): string {
  const bySeverity = SEVERITIES.map(
    (severity) => [metricOf(severity), [totals.bySeverity[severity] ?? 0, 'Count']] as const,
  );
  return line(
    now,
    { Stack: stack },
    {
      LoadBalancersInScope: [inScope, 'Count'],
      LoadBalancersChecked: [totals.checked, 'Count'],
      LoadBalancersNotChecked: [totals.notChecked, 'Count'],
      ...Object.fromEntries(bySeverity),
      InstancesUnreachable: [totals.unreachable, 'Count'],
      OldestFindingSeconds: [
        totals.oldest === 0 ? 0 : Math.max(0, Math.round((now - totals.oldest) / 1000)),
        'Seconds',
      ],
    },
  );
}

/** Two metrics, since each one of each load balancer is paid for. */
export function loadBalancerMetrics(now: number, stack: string, { name, findings }: LoadBalancerResult): string {
  const worst = findings[0]?.severity;
  const severity = worst === undefined ? 0 : SEVERITIES.length - SEVERITIES.indexOf(worst);
  return line(
    now,
    { Stack: stack, LoadBalancer: name },
    { Findings: [findings.length, 'Count'], Severity: [severity, 'None'] },
  );
}
