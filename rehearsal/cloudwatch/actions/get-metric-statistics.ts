import type { GetMetricStatisticsInput, GetMetricStatisticsOutput } from '@aws-sdk/client-cloudwatch';
import { ServiceError } from '../../aws/service.ts';
import { isStatistic } from '../metric-store.ts';
import type { CloudWatchParts } from '../parts.ts';

export const getMetricStatistics =
  ({ metrics }: CloudWatchParts) =>
  (input: GetMetricStatisticsInput): GetMetricStatisticsOutput => {
    const { Namespace = '', MetricName = '', Dimensions = [], Period = 60, Unit } = input;
    const { Statistics = [], ExtendedStatistics = [] } = input;
    const statistics = [...Statistics, ...ExtendedStatistics];
    if (statistics.length === 0)
      throw new ServiceError('MissingParameter', 'At least one of Statistics and ExtendedStatistics must be specified');
    const wrong = statistics.find((each) => !isStatistic(each));
    if (wrong !== undefined) throw new ServiceError('InvalidParameterValue', `The statistic ${wrong} is not there`);
    const [from, to] = [input.StartTime?.getTime() ?? 0, input.EndTime?.getTime() ?? 0];
    if (from >= to)
      throw new ServiceError(
        'InvalidParameterValue',
        'The parameter StartTime must be less than the parameter EndTime.',
      );
    const id = {
      namespace: Namespace,
      name: MetricName,
      dimensions: Object.fromEntries(Dimensions.map((each) => [each.Name ?? '', each.Value ?? ''])),
    };
    // Periods begin at whole ones: "CloudWatch rounds the specified time stamp".
    const periodMs = Period * 1000;
    const start = Math.floor(from / periodMs) * periodMs;
    const byTime = new Map<number, Record<string, unknown>>();
    for (const statistic of statistics) {
      for (const { at, value, unit } of metrics.datapoints(id, {
        from: start,
        to,
        periodSeconds: Period,
        statistic,
        unit: Unit,
      })) {
        const point = byTime.get(at) ?? { Timestamp: new Date(at), Unit: unit };
        byTime.set(at, point);
        if (statistic.startsWith('p'))
          point.ExtendedStatistics = { ...(point.ExtendedStatistics ?? {}), [statistic]: value };
        else point[statistic] = value;
      }
    }
    return { Label: MetricName, Datapoints: [...byTime.values()] };
  };
