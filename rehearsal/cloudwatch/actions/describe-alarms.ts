import type { DescribeAlarmsInput, DescribeAlarmsOutput } from '@aws-sdk/client-cloudwatch';
import { onlyTakes } from '../../aws/only-takes.ts';
import { describeAlarm } from '../alarms.ts';
import type { CloudWatchParts } from '../parts.ts';

const TAKEN = ['AlarmNames', 'AlarmNamePrefix', 'AlarmTypes', 'StateValue', 'ActionPrefix', 'MaxRecords'];

export const describeAlarms =
  ({ alarms }: CloudWatchParts) =>
  (input: DescribeAlarmsInput): DescribeAlarmsOutput => {
    onlyTakes('DescribeAlarms', input, TAKEN, 'InvalidParameterCombination');
    const { AlarmNames, AlarmNamePrefix = '', StateValue, ActionPrefix } = input;
    return {
      MetricAlarms: alarms
        .all()
        .filter(({ name, state }) => name.startsWith(AlarmNamePrefix) && (StateValue ?? state) === state)
        .filter(({ name }) => AlarmNames?.includes(name) ?? true)
        .map(describeAlarm)
        .filter(
          ({ AlarmActions = [] }) =>
            ActionPrefix === undefined || AlarmActions.some((action) => action.startsWith(ActionPrefix)),
        ),
      CompositeAlarms: [],
    };
  };
