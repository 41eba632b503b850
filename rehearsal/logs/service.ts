/** CloudWatch Logs: what functions wrote, for `aws logs tail` and for CloudWatch's embedded metrics. */
import type { Service } from '../aws/service.ts';
import { createLogGroup } from './actions/create-log-group.ts';
import { deleteLogGroup } from './actions/delete-log-group.ts';
import { deleteRetentionPolicy } from './actions/delete-retention-policy.ts';
import { describeLogGroups } from './actions/describe-log-groups.ts';
import { describeLogStreams } from './actions/describe-log-streams.ts';
import { filterLogEvents } from './actions/filter-log-events.ts';
import { getLogEvents } from './actions/get-log-events.ts';
import { putRetentionPolicy } from './actions/put-retention-policy.ts';
import { LogStore } from './log-store.ts';

export interface LogsService extends Service {
  /** As Lambda writes: a group that is not there is made. */
  append(groupName: string, streamName: string, message: string): void;
}

export interface LogsOptions {
  readonly now?: () => number;
  /** Every line that is written: metrics are taken out of them. */
  readonly onMessage?: (message: string) => void;
}

export function createLogsService({ now = Date.now, onMessage = () => {} }: LogsOptions = {}): LogsService {
  const store = new LogStore(now);
  return {
    signingName: 'logs',
    protocol: 'awsJson1_1',
    append(groupName, streamName, message) {
      store.append(groupName, streamName, message);
      onMessage(message);
    },
    actions: {
      CreateLogGroup: createLogGroup(store),
      DeleteLogGroup: deleteLogGroup(store),
      DeleteRetentionPolicy: deleteRetentionPolicy(store),
      DescribeLogGroups: describeLogGroups(store),
      DescribeLogStreams: describeLogStreams(store),
      FilterLogEvents: filterLogEvents(store),
      GetLogEvents: getLogEvents(store),
      PutRetentionPolicy: putRetentionPolicy(store),
    },
  };
}
