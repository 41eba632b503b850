import type { PutMetricDataInput } from '@aws-sdk/client-cloudwatch';
import { onlyTakes } from '../../aws/only-takes.ts';
import { ServiceError } from '../../aws/service.ts';
import type { CloudWatchParts } from '../parts.ts';
import { UNITS } from '../units.ts';

export const putMetricData =
  ({ metrics, now }: CloudWatchParts) =>
  (input: PutMetricDataInput) => {
    onlyTakes('PutMetricData', input, ['Namespace', 'MetricData'], 'InvalidParameterCombination');
    const { Namespace = '', MetricData = [] } = input;
    if (Namespace.startsWith('AWS/')) {
      throw new ServiceError('InvalidParameterValue', 'The value AWS/ for parameter Namespace is invalid.');
    }
    for (const datum of MetricData) {
      const {
        MetricName = '',
        Dimensions = [],
        Timestamp,
        Unit = 'None',
        Value,
        Values,
        Counts,
        StatisticValues,
      } = datum;
      if (StatisticValues !== undefined) {
        throw new ServiceError(
          'InvalidParameterCombination',
          "The rehearsal's PutMetricData does not read StatisticValues",
        );
      }
      if (!UNITS.includes(Unit)) throw new ServiceError('InvalidParameterValue', `The unit ${Unit} is not there`);
      const id = {
        namespace: Namespace,
        name: MetricName,
        dimensions: Object.fromEntries(Dimensions.map((each) => [each.Name ?? '', each.Value ?? ''])),
      };
      const at = Timestamp?.getTime() ?? now();
      const values = Values ?? (Value === undefined ? [] : [Value]);
      values.forEach((value, index) => {
        metrics.put(id, { at, value, count: Counts?.[index] ?? 1, unit: Unit });
      });
    }
    return {};
  };
