import type { DescribeAlarmHistoryInput, DescribeAlarmHistoryOutput } from '@aws-sdk/client-cloudwatch';
import { onlyTakes } from '../../aws/only-takes.ts';
import type { CloudWatchParts } from '../parts.ts';

const TAKEN = ['AlarmName', 'AlarmTypes', 'HistoryItemType', 'StartDate', 'EndDate', 'MaxRecords', 'ScanBy'];

export const describeAlarmHistory =
  ({ alarms }: CloudWatchParts) =>
  (input: DescribeAlarmHistoryInput): DescribeAlarmHistoryOutput => {
    onlyTakes('DescribeAlarmHistory', input, TAKEN, 'InvalidParameterCombination');
    const { AlarmName, HistoryItemType, StartDate, EndDate, MaxRecords = 100, ScanBy } = input;
    const found = alarms.history
      .filter((item) => (AlarmName ?? item.AlarmName) === item.AlarmName)
      .filter((item) => (HistoryItemType ?? item.HistoryItemType) === item.HistoryItemType)
      .filter(
        ({ Timestamp = new Date(0) }) => Timestamp >= (StartDate ?? new Date(0)) && Timestamp <= (EndDate ?? Timestamp),
      );
    const ordered = ScanBy === 'TimestampAscending' ? found.reverse() : found;
    return { AlarmHistoryItems: ordered.slice(0, MaxRecords) };
  };
