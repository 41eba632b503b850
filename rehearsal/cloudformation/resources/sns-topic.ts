import { ACCOUNT_ID, REGION } from '../../world.ts';
import { keptType } from './kept.ts';

/** Nothing is delivered: see the README. */
export const snsTopic = () =>
  keptType({
    name: 'AWS::SNS::Topic',
    properties: ['TopicName', 'DisplayName', 'KmsMasterKeyId', 'Subscription', 'Tags'],
    nameProperty: 'TopicName',
    maximumNameLength: 256,
    attributes: ['TopicArn', 'TopicName'],
    describe: (name) => {
      const arn = `arn:aws:sns:${REGION}:${ACCOUNT_ID}:${name}`;
      return { ref: arn, attributes: { TopicArn: arn, TopicName: name } };
    },
  });
