/** One execution of the runbook: start it, look at it, stop it, and say in words how it went. */
import {
  type AutomationExecution,
  GetAutomationExecutionCommand,
  type SSMClient,
  StartAutomationExecutionCommand,
  StopAutomationExecutionCommand,
} from '@aws-sdk/client-ssm';
import { serviceErrorName } from '../shared/errors.ts';
import { type Direction, hasEnded } from '../shared/switch-state.ts';
import type { Properties } from './properties.ts';

export interface SwitchRequest {
  readonly documentName: string;
  readonly direction: Direction;
  readonly properties: Properties;
  readonly owner: string;
  readonly startedBy: string;
  readonly clientToken: string;
}

export async function startExecution(ssm: SSMClient, request: SwitchRequest): Promise<string> {
  const { properties, direction } = request;
  const { ServiceToken: _token, ServiceTimeout: _timeout, DeletionMode: _deletion, ...parameters } = properties;
  const { AutomationExecutionId } = await ssm.send(
    new StartAutomationExecutionCommand({
      DocumentName: request.documentName,
      ClientToken: request.clientToken,
      Parameters: Object.fromEntries(
        Object.entries({
          ...parameters,
          FleetWaitSeconds: direction === 'enable' ? parameters.FleetWaitSeconds : '0',
          Direction: direction,
          Owner: request.owner,
          StartedBy: request.startedBy,
        }).map(([name, value]) => [name, [value]]),
      ),
    }),
  );
  if (AutomationExecutionId === undefined)
    throw new TypeError('StartAutomationExecution gave no AutomationExecutionId');
  return AutomationExecutionId;
}

/** @returns undefined for one that Systems Manager has forgotten, after 30 days */
export async function getExecution(ssm: SSMClient, executionId: string): Promise<AutomationExecution | undefined> {
  try {
    const { AutomationExecution } = await ssm.send(
      new GetAutomationExecutionCommand({ AutomationExecutionId: executionId }),
    );
    return AutomationExecution;
  } catch (error) {
    if (serviceErrorName(error) === 'AutomationExecutionNotFoundException') return undefined;
    throw error;
  }
}

export const isRunning = (execution: AutomationExecution | undefined): boolean =>
  execution !== undefined && !hasEnded(execution.AutomationExecutionStatus);

/** `Cancel` runs the steps' onCancel, so that the fleet is left in a state that serves. Of one that has ended: nothing. */
export async function stopExecution(ssm: SSMClient, executionId: string): Promise<void> {
  try {
    await ssm.send(new StopAutomationExecutionCommand({ AutomationExecutionId: executionId, Type: 'Cancel' }));
  } catch (error) {
    const ended = ['InvalidAutomationStatusUpdateException', 'AutomationExecutionNotFoundException'];
    if (!ended.includes(serviceErrorName(error))) throw error;
  }
}

/** The first value of one of the runbook's outputs; '' where the step did not run, of which Systems Manager gives a sentence. */
export function outputOf(execution: AutomationExecution, name: string): string {
  const value = execution.Outputs?.[name]?.[0] ?? '';
  return value.startsWith('No output available yet') ? '' : value;
}

/** What a person needs to know of a run that did not succeed: where, why, how things are now, where to look. */
export function describeFailure(execution: AutomationExecution): string {
  // A command whose answers the step behind it judges may fail without the run failing, and says less of why.
  const failed = execution.StepExecutions?.find(
    (step) => step.IsCritical !== false && (step.StepStatus === 'Failed' || step.StepStatus === 'TimedOut'),
  );
  const why = failed?.FailureMessage ?? execution.FailureMessage ?? '';
  const now = [outputOf(execution, 'Undo.summary'), outputOf(execution, 'Undone.summary')].filter(
    (text) => text !== '',
  );
  return [
    `The switch ended in ${execution.AutomationExecutionStatus}${failed?.StepName === undefined ? '' : ` at step ${failed.StepName}`}${why === '' ? '' : `: ${why}`}`,
    ...now,
    `Execution ${execution.AutomationExecutionId}, in Systems Manager under Automation.`,
  ].join('\n');
}
