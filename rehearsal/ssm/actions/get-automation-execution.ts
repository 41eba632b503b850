import type { GetAutomationExecutionRequest, GetAutomationExecutionResult } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

/** "If this response indicates that the steps are truncated, use DescribeAutomationStepExecutions"; the limit is 100. */
const MAX_STEPS = 100;

export const getAutomationExecution =
  ({ automation }: SsmContext) =>
  ({ AutomationExecutionId = '' }: GetAutomationExecutionRequest): GetAutomationExecutionResult => {
    const { summary, steps } = automation.get(AutomationExecutionId);
    return {
      AutomationExecution: {
        ...summary,
        StepExecutions: steps.slice(0, MAX_STEPS).map((step) => ({ ...step })),
        StepExecutionsTruncated: steps.length > MAX_STEPS,
      },
    };
  };
