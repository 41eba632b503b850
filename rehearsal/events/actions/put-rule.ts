import type { PutRuleRequest } from '@aws-sdk/client-eventbridge';
import { onlyTakes } from '../../aws/only-takes.ts';
import { defaultBus, type EventsParts } from '../parts.ts';

const TAKEN = ['Name', 'Description', 'EventPattern', 'ScheduleExpression', 'State', 'EventBusName', 'Tags'];

export const putRule =
  ({ rules }: EventsParts) =>
  (input: PutRuleRequest) => {
    onlyTakes('PutRule', input, TAKEN, 'ValidationException');
    defaultBus(input.EventBusName);
    return { RuleArn: rules.put(input).arn };
  };
