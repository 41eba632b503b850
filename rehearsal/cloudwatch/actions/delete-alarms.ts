import type { DeleteAlarmsInput } from '@aws-sdk/client-cloudwatch';
import type { CloudWatchParts } from '../parts.ts';

/** "If you specify an alarm that does not exist, the operation … deletes nothing": one unknown name keeps all the others. */
export const deleteAlarms =
  ({ alarms }: CloudWatchParts) =>
  (input: DeleteAlarmsInput) => {
    const found = (input.AlarmNames ?? []).map((name) => alarms.get(name));
    for (const { name } of found) alarms.delete(name);
    return {};
  };
