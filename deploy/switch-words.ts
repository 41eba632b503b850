/** What the runbook does at the moment, and what it waits for. */
import type { AutomationExecution } from '@aws-sdk/client-ssm';
import type { SwitchState } from '../functions/shared/switch-state.ts';

/** Steps of the runbook, as `switch.yml` has them. */
export interface Runbook {
  readonly mainSteps?: readonly { readonly name: string; readonly description?: string }[];
}

/**
 * @param runbook  of the template that is deployed: it explains its own steps
 * @param state    of the load balancer: while it measures, what stands in the way is written there
 * @returns `MeasureLoop: Until every node was seen to follow …` and, where something stands in the way, that; none where nothing is under way
 */
export function describeSwitch(
  runbook: Runbook,
  { StepExecutions = [] }: AutomationExecution,
  state: Pick<SwitchState, 'phase' | 'remaining'>,
): string[] {
  const names = new Map((runbook.mainSteps ?? []).map(({ name, description }) => [name, description]));
  // Of a loop and the steps inside of it the loop is the one that is explained. What was not reached yet is Pending.
  const current = StepExecutions.find(
    ({ StepName = '', StepStatus = '' }) => names.has(StepName) && ['InProgress', 'Waiting'].includes(StepStatus),
  )?.StepName;
  if (current === undefined) return [];
  const description = names.get(current);
  return [
    description === undefined ? current : `${current}: ${description}`,
    ...(state.phase === 'measuring' && state.remaining ? [`still: ${shortened(state.remaining)}`] : []),
  ];
}

/** What stands in the way is a list that may name every port of every node; whoever wants it all reads the state. */
function shortened(remaining: string): string {
  const parts = remaining.split('; ');
  const more = parts.length - 2;
  return more <= 0 ? remaining : `${parts.slice(0, 2).join('; ')}; and ${more} more`;
}
