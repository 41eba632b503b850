import type { StartAutomationExecutionRequest, StartAutomationExecutionResult } from '@aws-sdk/client-ssm';
import type { CallContext } from '../../aws/service.ts';
import type { StartInput } from '../automation/automation.ts';
import type { SsmContext } from './context.ts';

export const startAutomationExecution =
  ({ automation }: SsmContext) =>
  (input: StartAutomationExecutionRequest, { accessKeyId }: CallContext): StartAutomationExecutionResult => ({
    AutomationExecutionId: automation.start(input as unknown as StartInput, accessKeyId).id,
  });
