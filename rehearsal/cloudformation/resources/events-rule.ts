import { ACCOUNT_ID, REGION } from '../../world.ts';
import { keptType } from './kept.ts';

/** No schedule runs and no event arrives: see the README. */
export const eventsRule = () =>
  keptType({
    name: 'AWS::Events::Rule',
    properties: ['Name', 'Description', 'ScheduleExpression', 'EventPattern', 'State', 'Targets', 'RoleArn', 'Tags'],
    nameProperty: 'Name',
    maximumNameLength: 64,
    attributes: ['Arn'],
    describe: (name) => ({ ref: name, attributes: { Arn: `arn:aws:events:${REGION}:${ACCOUNT_ID}:rule/${name}` } }),
  });
