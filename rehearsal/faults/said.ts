import type { AutomationExecution } from '@aws-sdk/client-ssm';
import { failureOf } from '../scenarios/runbook.ts';

/** Of a run that did not succeed: the runbook's own words about how things are now, else where it failed and why. */
export function said(execution: AutomationExecution): string {
  if (execution.AutomationExecutionStatus === 'Success') return '';
  const sentences = ['Undo.summary', 'Undone.summary']
    .map((name) => execution.Outputs?.[name]?.[0] ?? '')
    .filter((text) => text !== '' && !text.startsWith('No output available yet'));
  return sentences.length > 0 ? sentences.join(' ') : failureOf(execution);
}
