/** Service Authorization Reference, Amazon SNS. */
import type { Requirements } from './index.ts';

export const sns: Requirements = {
  Publish: ({ TopicArn }) => [{ action: 'sns:Publish', resource: TopicArn }],
};
