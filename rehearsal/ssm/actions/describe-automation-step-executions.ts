import type {
  DescribeAutomationStepExecutionsRequest,
  DescribeAutomationStepExecutionsResult,
  StepExecution,
} from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { page } from '../paging.ts';
import type { SsmContext } from './context.ts';

export const describeAutomationStepExecutions =
  ({ automation }: SsmContext) =>
  (input: DescribeAutomationStepExecutionsRequest): DescribeAutomationStepExecutionsResult => {
    const { steps } = automation.get(input.AutomationExecutionId ?? '');
    const matching = steps.filter((step) =>
      (input.Filters ?? []).every(({ Key = '', Values = [] }) => Values.some((value) => matches(step, Key, value))),
    );
    if (input.ReverseOrder) matching.reverse();
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 1, max: 50, default: 50 });
    return { StepExecutions: items.map((step) => ({ ...step })), ...(NextToken === undefined ? {} : { NextToken }) };
  };

function matches(step: StepExecution, key: string, value: string): boolean {
  switch (key) {
    case 'StepExecutionStatus':
      return step.StepStatus === value;
    case 'StepExecutionId':
      return step.StepExecutionId === value;
    case 'StepName':
      return step.StepName === value;
    case 'Action':
      return step.Action === value;
    case 'ParentStepExecutionId':
      return step.ParentStepDetails?.StepExecutionId === value;
    case 'ParentStepIteration':
      return String(step.ParentStepDetails?.Iteration) === value;
    default:
      throw new ServiceError('InvalidFilterKey', `The filter key ${key} is not supported by the rehearsal.`);
  }
}
