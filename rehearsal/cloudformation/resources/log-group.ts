import { ACCOUNT_ID, REGION } from '../../world.ts';
import { keptType } from './kept.ts';

export const logGroup = () =>
  keptType({
    name: 'AWS::Logs::LogGroup',
    properties: ['LogGroupName', 'RetentionInDays', 'Tags', 'LogGroupClass', 'DeletionProtectionEnabled'],
    nameProperty: 'LogGroupName',
    maximumNameLength: 512,
    attributes: ['Arn'],
    describe: (name) => ({
      ref: name,
      attributes: { Arn: `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:${name}:*` },
    }),
  });
