/**
 * The structure of a dashboard's body, as the console can show it. AWS only warns of some of what is an error here.
 *
 * Source: CloudWatch API reference, "Dashboard body structure and syntax".
 */
import * as v from 'valibot';
import { isStatistic } from './metric-store.ts';

const whole = (least: number, most: number) => v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));
const statistic = v.pipe(v.string(), v.check(isStatistic, 'should be a statistic'));
const period = v.pipe(
  v.number(),
  v.check(
    (value) => [1, 5, 10, 30].includes(value) || (value >= 60 && value % 60 === 0),
    'should be 1, 5, 10, 30 or a multiple of 60',
  ),
);
const arn = v.pipe(v.string(), v.startsWith('arn:'));

const place = {
  x: v.optional(whole(0, 23)),
  y: v.optional(whole(0, 10_000)),
  width: v.optional(whole(1, 24)),
  height: v.optional(whole(1, 1000)),
};

const options = v.strictObject({
  color: v.optional(v.string()),
  expression: v.optional(v.string()),
  id: v.optional(v.pipe(v.string(), v.regex(/^[a-z]\w*$/))),
  label: v.optional(v.string()),
  period: v.optional(period),
  region: v.optional(v.string()),
  stat: v.optional(statistic),
  visible: v.optional(v.boolean()),
  yAxis: v.optional(v.picklist(['left', 'right'])),
});

/** `[namespace, name, dimension, value, …, {options}]`; `.` and `...` repeat what the metric before has. */
const metric = v.pipe(
  v.array(v.union([v.string(), options])),
  v.check((parts) => parts.slice(0, -1).every((part) => typeof part === 'string'), 'should have its options last'),
  v.check((parts) => {
    const names = parts.filter((part) => typeof part === 'string');
    const last = parts.at(-1);
    if (typeof last === 'object' && last.expression !== undefined) return names.length === 0;
    return names.includes('...') || (names.length >= 2 && names.length % 2 === 0);
  }, 'should be a namespace, a name and pairs of dimension and value, or an expression alone'),
);

const metrics = v.pipe(
  v.array(metric),
  v.minLength(1),
  v.check(
    ([first = []]) => !first.includes('.') && !first.includes('...'),
    'should begin with one that is not abbreviated',
  ),
);

const widget = v.variant('type', [
  v.strictObject({
    ...place,
    type: v.literal('metric'),
    properties: v.pipe(
      v.strictObject({
        region: v.string(),
        metrics: v.optional(metrics),
        annotations: v.optional(
          v.strictObject({
            alarms: v.optional(v.array(arn)),
            horizontal: v.optional(v.array(v.looseObject({ value: v.number() }))),
            vertical: v.optional(v.array(v.looseObject({ value: v.string() }))),
          }),
        ),
        legend: v.optional(v.strictObject({ position: v.picklist(['right', 'bottom', 'hidden']) })),
        liveData: v.optional(v.boolean()),
        period: v.optional(period),
        setPeriodToTimeRange: v.optional(v.boolean()),
        singleValueFullPrecision: v.optional(v.boolean()),
        sparkline: v.optional(v.boolean()),
        stacked: v.optional(v.boolean()),
        stat: v.optional(statistic),
        timezone: v.optional(v.string()),
        title: v.optional(v.string()),
        view: v.optional(v.picklist(['timeSeries', 'singleValue', 'gauge', 'bar', 'pie', 'table'])),
        yAxis: v.optional(v.looseObject({})),
      }),
      v.check(
        (given) => given.metrics !== undefined || given.annotations?.alarms !== undefined,
        'should have metrics or alarms',
      ),
    ),
  }),
  v.strictObject({
    ...place,
    type: v.literal('text'),
    properties: v.strictObject({ markdown: v.string(), background: v.optional(v.picklist(['transparent', 'solid'])) }),
  }),
  v.strictObject({
    ...place,
    type: v.literal('log'),
    properties: v.strictObject({
      region: v.string(),
      query: v.pipe(
        v.string(),
        v.check((query) => query.includes('SOURCE '), 'should name its log groups with SOURCE'),
      ),
      queryLanguage: v.optional(v.picklist(['CWLI', 'SQL', 'PPL'])),
      stacked: v.optional(v.boolean()),
      timezone: v.optional(v.string()),
      title: v.optional(v.string()),
      view: v.optional(v.picklist(['timeSeries', 'bar', 'pie', 'table'])),
    }),
  }),
  v.strictObject({
    ...place,
    type: v.literal('alarm'),
    properties: v.strictObject({
      alarms: v.pipe(v.array(arn), v.minLength(1), v.maxLength(100)),
      sortBy: v.optional(v.picklist(['default', 'stateUpdatedTimestamp', 'timestamp'])),
      states: v.optional(v.array(v.picklist(['ALARM', 'OK', 'INSUFFICIENT_DATA']))),
      title: v.optional(v.string()),
    }),
  }),
]);

const body = v.strictObject({
  widgets: v.pipe(v.array(widget), v.maxLength(500)),
  start: v.optional(v.string()),
  end: v.optional(v.string()),
  periodOverride: v.optional(v.picklist(['auto', 'inherit'])),
});

export interface DashboardFault {
  /** `widgets.3.properties.region` */
  readonly DataPath: string;
  readonly Message: string;
}

export function dashboardFaults(text: string): DashboardFault[] {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    return [{ DataPath: '', Message: `The body is no JSON: ${(error as Error).message}` }];
  }
  const { issues = [] } = v.safeParse(body, given);
  return issues.map((issue) => ({ DataPath: v.getDotPath(issue) ?? '', Message: issue.message }));
}
