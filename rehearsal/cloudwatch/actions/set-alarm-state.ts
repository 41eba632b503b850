import type { SetAlarmStateInput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

/** "The next time that the alarm is evaluated it returns to its actual state": its actions are done as for any change. */
export const setAlarmState =
  ({ alarms }: CloudWatchParts) =>
  async (input: SetAlarmStateInput) => {
    const alarm = alarms.get(input.AlarmName ?? '');
    await alarms.change(alarm, input.StateValue ?? 'INSUFFICIENT_DATA', input.StateReason ?? '', input.StateReasonData);
    return {};
  };
