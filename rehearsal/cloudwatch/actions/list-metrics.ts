import type { ListMetricsInput, ListMetricsOutput } from '@aws-sdk/client-cloudwatch';
import { onlyTakes } from '../../aws/only-takes.ts';
import type { CloudWatchParts } from '../parts.ts';

export const listMetrics =
  ({ metrics }: CloudWatchParts) =>
  (input: ListMetricsInput): ListMetricsOutput => {
    onlyTakes('ListMetrics', input, ['Namespace', 'MetricName', 'Dimensions'], 'InvalidParameterCombination');
    const { Namespace, MetricName, Dimensions = [] } = input;
    return {
      Metrics: metrics
        .all()
        .filter(({ namespace, name }) => (Namespace ?? namespace) === namespace && (MetricName ?? name) === name)
        .filter(({ dimensions }) =>
          Dimensions.every(
            ({ Name = '', Value }) => Name in dimensions && (Value ?? dimensions[Name]) === dimensions[Name],
          ),
        )
        .map(({ namespace, name, dimensions }) => ({
          Namespace: namespace,
          MetricName: name,
          Dimensions: Object.entries(dimensions).map(([dimension, value]) => ({ Name: dimension, Value: value })),
        })),
    };
  };
