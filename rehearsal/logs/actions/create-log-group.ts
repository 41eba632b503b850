import type { CreateLogGroupRequest } from '@aws-sdk/client-cloudwatch-logs';
import { ServiceError } from '../../aws/service.ts';
import type { LogStore } from '../log-store.ts';

/** Source: API reference, CreateLogGroup, "Log group names". */
export const createLogGroup = (store: LogStore) => (input: CreateLogGroupRequest) => {
  const { logGroupName = '', tags = {} } = input;
  if (!/^[.\-_/#A-Za-z0-9]{1,512}$/.test(logGroupName)) {
    throw new ServiceError(
      'InvalidParameterException',
      `1 validation error detected: Value '${logGroupName}' at 'logGroupName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+`,
    );
  }
  store.create(logGroupName, tags);
  return {};
};
