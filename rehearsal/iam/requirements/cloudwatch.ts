/** Service Authorization Reference, Amazon CloudWatch: metrics are no resources, their namespace is a condition. */
import type { Requirements } from './index.ts';

export const cloudwatch: Requirements = {
  PutMetricData: ({ Namespace }) => [
    { action: 'cloudwatch:PutMetricData', resource: '*', context: { 'cloudwatch:namespace': Namespace } },
  ],
};
