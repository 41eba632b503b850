/** The runbook as a person runs it from the console: started with parameters, looked at until it has ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AutomationExecution,
  GetAutomationExecutionCommand,
  type SSMClient,
  StartAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import { STACK } from './stack.ts';

/** Who runs it: the rehearsal's administrator, or somebody with other credentials. */
interface Runner {
  readonly clients: { readonly ssm: SSMClient };
}

export type Direction = 'enable' | 'disable';

/** As the stack names it. */
const SWITCH_DOCUMENT = `${STACK}-switch`;
const LIMIT_MS = 1_800_000;

/** @returns the execution's id */
export async function startRunbook(
  { clients }: Runner,
  direction: Direction,
  parameters: Readonly<Record<string, string>>,
): Promise<string> {
  const { AutomationExecutionId } = await clients.ssm.send(
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
  { clients }: Runner,
  executionId: string,
  interrupted: AbortSignal,
): Promise<AutomationExecution> {
  const limit = Date.now() + LIMIT_MS;
  for (;;) {
    interrupted.throwIfAborted();
    const { AutomationExecution: execution } = await clients.ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: executionId }),
    );
    if (execution?.ExecutionEndTime !== undefined) return execution;
    if (Date.now() > limit) throw new Error(`execution ${executionId} has not ended after ${LIMIT_MS / 1000} s`);
    await sleep(200);
  }
}

/** @throws Error  it did not succeed, with where and why */
export async function runRunbook(
  runner: Runner,
  direction: Direction,
  parameters: Readonly<Record<string, string>>,
  interrupted: AbortSignal,
): Promise<AutomationExecution> {
  const execution = await waitForExecution(runner, await startRunbook(runner, direction, parameters), interrupted);
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
