import type { RemoveTargetsRequest } from '@aws-sdk/client-eventbridge';
import { defaultBus, type EventsParts } from '../parts.ts';

export const removeTargets =
  ({ rules }: EventsParts) =>
  (input: RemoveTargetsRequest) => {
    defaultBus(input.EventBusName);
    const { targets } = rules.get(input.Rule ?? '');
    for (const id of input.Ids ?? []) targets.delete(id);
    return { FailedEntryCount: 0, FailedEntries: [] };
  };
