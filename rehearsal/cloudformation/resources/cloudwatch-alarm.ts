import { ACCOUNT_ID, REGION } from '../../world.ts';
import { keptType } from './kept.ts';

/** It never changes state: see the README. */
export const cloudWatchAlarm = () =>
  keptType({
    name: 'AWS::CloudWatch::Alarm',
    properties: [
      'AlarmName',
      'AlarmDescription',
      'ActionsEnabled',
      'AlarmActions',
      'OKActions',
      'InsufficientDataActions',
      'MetricName',
      'Namespace',
      'Statistic',
      'ExtendedStatistic',
      'Dimensions',
      'Period',
      'Unit',
      'EvaluationPeriods',
      'DatapointsToAlarm',
      'Threshold',
      'ComparisonOperator',
      'TreatMissingData',
      'Metrics',
      'Tags',
    ],
    required: ['ComparisonOperator', 'EvaluationPeriods'],
    nameProperty: 'AlarmName',
    maximumNameLength: 255,
    attributes: ['Arn'],
    describe: (name) => ({
      ref: name,
      attributes: { Arn: `arn:aws:cloudwatch:${REGION}:${ACCOUNT_ID}:alarm:${name}` },
    }),
  });
