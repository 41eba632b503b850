import type { DescribeLogGroupsRequest, DescribeLogGroupsResponse } from '@aws-sdk/client-cloudwatch-logs';
import { onlyTakes } from '../../aws/only-takes.ts';
import type { LogStore } from '../log-store.ts';

export const describeLogGroups =
  (store: LogStore) =>
  (input: DescribeLogGroupsRequest): DescribeLogGroupsResponse => {
    const { logGroupNamePrefix = '', ...more } = input;
    onlyTakes('DescribeLogGroups', more, ['limit', 'nextToken'], 'InvalidParameterException');
    return {
      logGroups: store
        .all()
        .filter(({ name }) => name.startsWith(logGroupNamePrefix))
        .map(({ name, arn, createdAt, retentionInDays }) => ({
          logGroupName: name,
          arn: `${arn}:*`,
          logGroupArn: arn,
          creationTime: createdAt,
          metricFilterCount: 0,
          logGroupClass: 'STANDARD',
          ...(retentionInDays === undefined ? {} : { retentionInDays }),
        })),
    };
  };
