import type { DeleteRetentionPolicyRequest } from '@aws-sdk/client-cloudwatch-logs';
import type { LogStore } from '../log-store.ts';

export const deleteRetentionPolicy = (store: LogStore) => (input: DeleteRetentionPolicyRequest) => {
  store.get(input.logGroupName ?? '').retentionInDays = undefined;
  return {};
};
