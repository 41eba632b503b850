/** Executions of the runbook as the custom resource meets them: unknown, ended already, failed somewhere. */
import type { AutomationExecution, SSMClient } from '@aws-sdk/client-ssm';
import { describe, expect, test } from '@jest/globals';
import {
  describeFailure,
  getExecution,
  outputOf,
  startExecution,
  stopExecution,
} from '../../../functions/proxy-protocol/execution.ts';

function ssm(answer: unknown) {
  const inputs: unknown[] = [];
  const client = {
    async send({ input }: { input: unknown }) {
      inputs.push(input);
      if (typeof answer === 'string') throw Object.assign(new Error(answer), { name: answer });
      return answer;
    },
  };
  return { client: client as unknown as SSMClient, inputs };
}

test('one that Systems Manager has forgotten is none; any other error is one', async () => {
  expect(await getExecution(ssm('AutomationExecutionNotFoundException').client, 'run-1')).toBeUndefined();
  await expect(getExecution(ssm('AccessDenied').client, 'run-1')).rejects.toThrow('AccessDenied');
});

test('stopping one that has ended, or is forgotten, is no error; it is cancelled, so that it undoes', async () => {
  const { client, inputs } = ssm({});
  await stopExecution(client, 'run-1');
  await stopExecution(ssm('InvalidAutomationStatusUpdateException').client, 'run-1');
  await stopExecution(ssm('AutomationExecutionNotFoundException').client, 'run-1');
  await expect(stopExecution(ssm('AccessDenied').client, 'run-1')).rejects.toThrow('AccessDenied');

  expect(inputs).toEqual([{ AutomationExecutionId: 'run-1', Type: 'Cancel' }]);
});

test('a start that gives no id is an error', async () => {
  const start = startExecution(ssm({}).client, { properties: {} } as Parameters<typeof startExecution>[1]);

  await expect(start).rejects.toThrow('StartAutomationExecution gave no AutomationExecutionId');
});

test('an output that is not there is empty', () => {
  expect(outputOf({ Outputs: { 'Finish.mode': ['proxy'] } }, 'Finish.mode')).toBe('proxy');
  expect(outputOf({ Outputs: {} }, 'Finish.mode')).toBe('');
});

describe('a failure, in words', () => {
  const ended: AutomationExecution = {
    AutomationExecutionId: 'run-1',
    AutomationExecutionStatus: 'Failed',
    Outputs: {
      'Undo.summary': ['Receivers go back to plain.'],
      'Undone.summary': ['No output available yet because the step is not successfully executed'],
    },
  };

  test.each([
    ['Failed', undefined],
    ['TimedOut', true],
  ])('names the step that %s and counts, why, and how things are now', (StepStatus, IsCritical) => {
    const StepExecutions = [
      { StepName: 'Plan', StepStatus: 'Success' },
      { StepName: 'AcceptBoth', StepStatus: 'Failed', IsCritical: false, FailureMessage: 'a command failed' },
      {
        StepName: 'ConfirmBoth',
        StepStatus,
        FailureMessage: 'i-1 says no',
        ...(IsCritical !== undefined && { IsCritical }),
      },
    ] as never;

    expect(describeFailure({ ...ended, StepExecutions, FailureMessage: 'the execution failed' })).toBe(
      'The switch ended in Failed at step ConfirmBoth: i-1 says no\nReceivers go back to plain.\nExecution run-1, in Systems Manager under Automation.',
    );
  });

  test('has both the undo and how that ended, where it was one with receivers', () => {
    const Outputs = { 'Undo.summary': ['Receivers go back to plain.'], 'Undone.summary': ['They have.'] };

    expect(describeFailure({ ...ended, Outputs })).toBe(
      'The switch ended in Failed\nReceivers go back to plain.\nThey have.\nExecution run-1, in Systems Manager under Automation.',
    );
  });

  test('of no step has the message of the execution, or none', () => {
    const end = '\nReceivers go back to plain.\nExecution run-1, in Systems Manager under Automation.';

    expect(describeFailure({ ...ended, FailureMessage: 'no role' })).toBe(`The switch ended in Failed: no role${end}`);
    expect(describeFailure(ended)).toBe(`The switch ended in Failed${end}`);
  });
});
