import type { DescribeAutomationExecutionsRequest, DescribeAutomationExecutionsResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import type { Execution } from '../automation/execution.ts';
import { page } from '../paging.ts';
import type { SsmContext } from './context.ts';

export const describeAutomationExecutions =
  ({ automation }: SsmContext) =>
  (input: DescribeAutomationExecutionsRequest): DescribeAutomationExecutionsResult => {
    const matching = automation.executions.filter((execution) =>
      (input.Filters ?? []).every(({ Key = '', Values = [] }) =>
        Values.some((value) => matches(execution, Key, value)),
      ),
    );
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 1, max: 50, default: 50 });
    return {
      AutomationExecutionMetadataList: items.map(({ summary }) => {
        const { Parameters: _parameters, Variables: _variables, ...metadata } = summary;
        return { ...metadata, AutomationType: 'Local' };
      }),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };

function matches({ summary, id }: Execution, key: string, value: string): boolean {
  const startedAt = summary.ExecutionStartTime?.getTime() ?? 0;
  switch (key) {
    case 'DocumentNamePrefix':
      return summary.DocumentName?.startsWith(value) === true;
    case 'ExecutionStatus':
      return summary.AutomationExecutionStatus === value;
    case 'ExecutionId':
      return id === value;
    case 'CurrentAction':
      return summary.CurrentAction === value;
    case 'StartTimeAfter':
      return startedAt > Date.parse(value);
    case 'StartTimeBefore':
      return startedAt < Date.parse(value);
    default:
      throw new ServiceError('InvalidFilterKey', `The filter key ${key} is not supported by the rehearsal.`);
  }
}
