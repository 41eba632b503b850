import type { PutTargetsRequest } from '@aws-sdk/client-eventbridge';
import { defaultBus, type EventsParts } from '../parts.ts';

export const putTargets =
  ({ rules }: EventsParts) =>
  (input: PutTargetsRequest) => {
    defaultBus(input.EventBusName);
    rules.putTargets(rules.get(input.Rule ?? ''), input.Targets ?? []);
    return { FailedEntryCount: 0, FailedEntries: [] };
  };
