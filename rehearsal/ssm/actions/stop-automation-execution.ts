import type { StopAutomationExecutionRequest } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

export const stopAutomationExecution =
  ({ automation }: SsmContext) =>
  ({ AutomationExecutionId = '', Type }: StopAutomationExecutionRequest): object => {
    automation.stop(AutomationExecutionId, Type ?? 'Cancel');
    return {};
  };
