/** The runbook as a person runs it from the console: started with parameters, looked at until it has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AutomationExecution,
  GetAutomationExecutionCommand,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import type { Environment } from '../environment.ts';
import { STACK } from './stack.ts';

export type Direction = 'enable' | 'disable';

/** As the stack names it. */
const SWITCH_DOCUMENT = `${STACK}-switch`;
const LIMIT_MS = 1_800_000;

/** @returns the execution's id */
export async function startRunbook(
  environment: Environment,
  direction: Direction,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const { AutomationExecutionId } = await environment.clients.ssm.send(
    new StartAutomationExecutionCommand({
      DocumentName: SWITCH_DOCUMENT,
      Parameters: Object.fromEntries(
        Object.entries({ ...parameters, Direction: direction }).map(([name, value]) => [name, [value]]),
      ),
    }),
  );
  if (AutomationExecutionId === undefined) throw new Error('StartAutomationExecution gave no AutomationExecutionId');
  return AutomationExecutionId;
}

/** @throws Error  it has not ended after half an hour */
export async function waitForExecution(
  environment: Environment,
  executionId: string,
  interrupted: AbortSignal,
): Promise<AutomationExecution> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    interrupted.throwIfAborted();
    const { AutomationExecution: execution } = await environment.clients.ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: executionId }),
    );
    if (execution?.ExecutionEndTime !== undefined) return execution;
    if (Date.now() > limit) throw new Error(`execution ${executionId} has not ended after ${LIMIT_MS / 1000} s`);
    await sleep(200);
  }
}

/** @throws Error  it did not succeed, with where and why */
export async function runRunbook(
  environment: Environment,
  direction: Direction,
  parameters: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<AutomationExecution> {
  const execution = await waitForExecution(
    environment,
    await startRunbook(environment, direction, parameters),
    interrupted,
  );
  if (execution.AutomationExecutionStatus !== 'Success') {
    throw new Error(
      `the runbook's ${direction} ended in ${execution.AutomationExecutionStatus}: ${failureOf(execution)}`,
    );
  }
  return execution;
}

/** What the first step that was not to be got over said. */
export function failureOf({ FailureMessage, StepExecutions = [] }: AutomationExecution): string {
  const failed = StepExecutions.find(
    ({ IsCritical, StepStatus }) => IsCritical !== false && (StepStatus === 'Failed' || StepStatus === 'TimedOut'),
  );
  return failed === undefined ? (FailureMessage ?? 'no step failed') : `${failed.StepName}: ${failed.FailureMessage}`;
}
