import type { PutRetentionPolicyRequest } from '@aws-sdk/client-cloudwatch-logs';
import { ServiceError } from '../../aws/service.ts';
import type { LogStore } from '../log-store.ts';

/** Source: API reference, PutRetentionPolicy, retentionInDays. */
const DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

export const putRetentionPolicy = (store: LogStore) => (input: PutRetentionPolicyRequest) => {
  const { logGroupName = '', retentionInDays = 0 } = input;
  const group = store.get(logGroupName);
  if (!DAYS.includes(retentionInDays)) {
    throw new ServiceError(
      'InvalidParameterException',
      `1 validation error detected: Value '${retentionInDays}' at 'retentionInDays' failed to satisfy constraint: Member must satisfy enum value set: [${DAYS.join(', ')}]`,
    );
  }
  group.retentionInDays = retentionInDays;
  return {};
};
