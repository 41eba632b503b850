/** Which of the product's permissions a run did not use. */
import type { StatementUse } from '../../iam/authorizer.ts';

const HEALTH_CHECK =
  'asked only where the health check lets instances in that are not ready; here it is the receiver’s own: test/functions/load-balancer';

/** `<resource> <Sid> <action>`: what this scenario does not use, and what does. */
export const NOT_USED_HERE: Readonly<Record<string, string>> = {
  'LoadBalancerFunctionRole ReadLaunchHooks autoscaling:DescribeAutoScalingInstances': HEALTH_CHECK,
  'LoadBalancerFunctionRole ReadLaunchHooks autoscaling:DescribeLifecycleHooks': HEALTH_CHECK,
  'ProxyProtocolFunctionRole FollowExecutions ssm:StopAutomationExecution':
    'only a stack that is deleted while it is created stops an execution: npm run rehearse -- stack',
  'CallItself CallItself lambda:InvokeFunction':
    'only a switch of more than 15 minutes is handed on: test/functions/proxy-protocol',
};

/** Statements, `<resource> <Sid>`, that the stack of this scenario does not even have, by its parameters. */
export const NOT_IN_THIS_STACK: Readonly<Record<string, string>> = {
  'InstancePolicy FetchChat': 'only with the chat that comes with the template: npm run deploy',
  ...Object.fromEntries(
    [
      'WriteLogs',
      'StartSwitch',
      'FollowExecutions',
      'ReadStates',
      'Remember',
      'EndTurn',
      'LetRunbookAssumeItsRole',
      'TellOutcomes',
    ].map((sid) => [
      `DriftRemediationFunctionRole ${sid}`,
      'only with Remediation Automatic: npm run rehearse -- drift',
    ]),
  ),
};

export function unused(uses: readonly StatementUse[], stackName: string): string[] {
  return uses.filter((use) => use.stackName === stackName && use.uses === 0).map(place);
}

function place({ resource, sid, action }: StatementUse): string {
  return `${resource} ${sid} ${action}`;
}
