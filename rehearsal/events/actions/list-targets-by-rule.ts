import type { ListTargetsByRuleRequest } from '@aws-sdk/client-eventbridge';
import { defaultBus, type EventsParts } from '../parts.ts';

export const listTargetsByRule =
  ({ rules }: EventsParts) =>
  (input: ListTargetsByRuleRequest) => {
    defaultBus(input.EventBusName);
    return { Targets: [...rules.get(input.Rule ?? '').targets.values()] };
  };
