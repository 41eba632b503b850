import type { DescribeRuleRequest } from '@aws-sdk/client-eventbridge';
import { ACCOUNT_ID } from '../../world.ts';
import { defaultBus, type EventsParts } from '../parts.ts';
import { BUS, type Rule } from '../rule-store.ts';

export const describeRule =
  ({ rules }: EventsParts) =>
  (input: DescribeRuleRequest) => {
    defaultBus(input.EventBusName);
    return { ...summaryOf(rules.get(input.Name ?? '')), CreatedBy: ACCOUNT_ID };
  };

/** As ListRules and DescribeRule both have it. */
export function summaryOf({ name, arn, description, eventPattern, scheduleExpression, isEnabled }: Rule) {
  return {
    Name: name,
    Arn: arn,
    ...(description === undefined ? {} : { Description: description }),
    ...(eventPattern === undefined ? {} : { EventPattern: eventPattern }),
    ...(scheduleExpression === undefined ? {} : { ScheduleExpression: scheduleExpression }),
    State: isEnabled ? ('ENABLED' as const) : ('DISABLED' as const),
    EventBusName: BUS,
  };
}
