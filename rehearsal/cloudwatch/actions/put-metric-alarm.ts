import type { PutMetricAlarmInput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

export const putMetricAlarm =
  ({ alarms }: CloudWatchParts) =>
  (input: PutMetricAlarmInput) => {
    alarms.put(input);
    return {};
  };
