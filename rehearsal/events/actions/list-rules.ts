import type { ListRulesRequest } from '@aws-sdk/client-eventbridge';
import { defaultBus, type EventsParts } from '../parts.ts';
import { summaryOf } from './describe-rule.ts';

export const listRules =
  ({ rules }: EventsParts) =>
  (input: ListRulesRequest) => {
    defaultBus(input.EventBusName);
    const named = rules.all().filter(({ name }) => name.startsWith(input.NamePrefix ?? ''));
    return { Rules: named.map(summaryOf) };
  };
