import { ACCOUNT_ID, REGION } from '../../world.ts';
import type { JsonObject } from '../json.ts';
import type { Made, ResourceContext, ResourceType } from '../resource-type.ts';
import { defined, number, tagMap, text, texts } from './properties.ts';
import { taken } from './taken.ts';

const TYPE = 'AWS::CloudWatch::Alarm';
const ACTIONS = ['AlarmActions', 'OKActions', 'InsufficientDataActions'];
const NUMBERS = ['Period', 'EvaluationPeriods', 'DatapointsToAlarm', 'Threshold'];
const TEXTS = [
  'AlarmDescription',
  'MetricName',
  'Namespace',
  'Statistic',
  'ExtendedStatistic',
  'Unit',
  'ComparisonOperator',
  'TreatMissingData',
];

/** Metric math (Metrics) is refused by PutMetricAlarm, by name. */
export const cloudWatchAlarm: ResourceType = {
  name: TYPE,
  properties: ['AlarmName', 'ActionsEnabled', 'Dimensions', 'Metrics', 'Tags', ...ACTIONS, ...NUMBERS, ...TEXTS],
  required: ['ComparisonOperator', 'EvaluationPeriods'],
  replacedBy: ['AlarmName'],
  attributes: ['Arn'],
  async create(properties, context) {
    const name = text(properties.AlarmName) ?? context.generateName(255);
    const { MetricAlarms = [] } = (await context.call('monitoring', 'DescribeAlarms', { AlarmNames: [name] })) as {
      MetricAlarms?: unknown[];
    };
    if (MetricAlarms.length > 0) throw taken(TYPE, name);
    return put(name, properties, context);
  },
  update: ({ physicalResourceId }, properties, context) => put(physicalResourceId, properties, context),
  async delete({ physicalResourceId }, context) {
    const named = { AlarmNames: [physicalResourceId] };
    const { MetricAlarms = [] } = (await context.call('monitoring', 'DescribeAlarms', named)) as {
      MetricAlarms?: unknown[];
    };
    if (MetricAlarms.length > 0) await context.call('monitoring', 'DeleteAlarms', named);
  },
};

async function put(name: string, properties: JsonObject, context: ResourceContext): Promise<Made> {
  await context.call('monitoring', 'PutMetricAlarm', {
    AlarmName: name,
    ...defined({
      ...Object.fromEntries(TEXTS.map((key) => [key, text(properties[key])])),
      ...Object.fromEntries(NUMBERS.map((key) => [key, number(properties[key])])),
      ...Object.fromEntries(ACTIONS.map((key) => [key, properties[key] && texts(properties[key])])),
      ActionsEnabled: properties.ActionsEnabled === undefined ? undefined : text(properties.ActionsEnabled) === 'true',
      Dimensions: properties.Dimensions,
      Metrics: properties.Metrics,
    }),
    Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
  });
  return {
    physicalResourceId: name,
    attributes: { Arn: `arn:aws:cloudwatch:${REGION}:${ACCOUNT_ID}:alarm:${name}` },
  };
}
