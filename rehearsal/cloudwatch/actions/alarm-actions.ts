import type { CloudWatchParts } from '../parts.ts';

/** EnableAlarmActions and DisableAlarmActions: the state goes on to change, and tells nobody meanwhile. */
export const alarmActions =
  (areEnabled: boolean) =>
  ({ alarms }: CloudWatchParts) =>
  (input: { readonly AlarmNames?: readonly string[] }) => {
    for (const alarm of (input.AlarmNames ?? []).map((name) => alarms.get(name))) alarm.actionsEnabled = areEnabled;
    return {};
  };
