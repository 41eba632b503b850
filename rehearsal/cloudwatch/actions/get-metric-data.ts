import type { GetMetricDataInput, GetMetricDataOutput } from '@aws-sdk/client-cloudwatch';
import { onlyTakes } from '../../aws/only-takes.ts';
import { ServiceError } from '../../aws/service.ts';
import { isStatistic } from '../metric-store.ts';
import type { CloudWatchParts } from '../parts.ts';

/** Metrics alone: an expression is refused by name. */
export const getMetricData =
  ({ metrics }: CloudWatchParts) =>
  (input: GetMetricDataInput): GetMetricDataOutput => {
    onlyTakes(
      'GetMetricData',
      input,
      ['MetricDataQueries', 'StartTime', 'EndTime', 'ScanBy'],
      'InvalidParameterCombination',
    );
    const { MetricDataQueries = [], StartTime, EndTime, ScanBy = 'TimestampDescending' } = input;
    const [from, to] = [StartTime?.getTime() ?? 0, EndTime?.getTime() ?? 0];
    return {
      MetricDataResults: MetricDataQueries.map(({ Id, Label, MetricStat, Expression }) => {
        const { Metric, Period = 60, Stat = '', Unit } = MetricStat ?? {};
        if (Expression !== undefined || Metric === undefined) {
          throw new ServiceError(
            'InvalidParameterCombination',
            `The rehearsal has no metric math: query ${Id} needs a MetricStat`,
          );
        }
        if (!isStatistic(Stat)) throw new ServiceError('InvalidParameterValue', `The statistic ${Stat} is not there`);
        const id = {
          namespace: Metric.Namespace ?? '',
          name: Metric.MetricName ?? '',
          dimensions: Object.fromEntries((Metric.Dimensions ?? []).map((each) => [each.Name ?? '', each.Value ?? ''])),
        };
        const start = Math.floor(from / (Period * 1000)) * Period * 1000;
        const points = metrics.datapoints(id, { from: start, to, periodSeconds: Period, statistic: Stat, unit: Unit });
        if (ScanBy === 'TimestampDescending') points.reverse();
        return {
          Id,
          Label: Label ?? Metric.MetricName,
          Timestamps: points.map(({ at }) => new Date(at)),
          Values: points.map(({ value }) => value),
          StatusCode: 'Complete' as const,
        };
      }),
      Messages: [],
    };
  };
