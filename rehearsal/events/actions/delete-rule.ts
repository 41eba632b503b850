import type { DeleteRuleRequest } from '@aws-sdk/client-eventbridge';
import { defaultBus, type EventsParts } from '../parts.ts';

export const deleteRule =
  ({ rules }: EventsParts) =>
  (input: DeleteRuleRequest) => {
    defaultBus(input.EventBusName);
    rules.delete(input.Name ?? '');
    return {};
  };
