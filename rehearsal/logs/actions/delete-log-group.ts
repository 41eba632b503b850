import type { DeleteLogGroupRequest } from '@aws-sdk/client-cloudwatch-logs';
import type { LogStore } from '../log-store.ts';

export const deleteLogGroup = (store: LogStore) => (input: DeleteLogGroupRequest) => {
  store.delete(input.logGroupName ?? '');
  return {};
};
