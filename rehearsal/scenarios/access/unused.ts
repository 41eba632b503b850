/** Which of the product's permissions a run did not use. */
import type { StatementUse } from '../../iam/authorizer.ts';

const DRIFT = 'only where something has drifted, or a switch is at work: npm run rehearse -- drift';
const HEALTH_CHECK =
  'only where the health check is not the receiver’s own: npm run rehearse -- gates, test/functions/load-balancer';

/** `<resource> <Sid> <action>`: what this scenario does not use, and what does. */
export const NOT_USED_HERE: Readonly<Record<string, string>> = {
  'AutomationRole FindNodes ec2:DescribeInstances': HEALTH_CHECK,
  'AutomationRole FindNodes ec2:DescribeSecurityGroups': HEALTH_CHECK,
  'CallItself CallItself lambda:InvokeFunction':
    'only a switch of more than 15 minutes is handed on: test/functions/proxy-protocol',
  'DriftCheckFunctionRole ReadLoadBalancers elasticloadbalancing:DescribeInstanceHealth':
    'only where a receiver does not answer as it was set: test/functions/drift-check',
  'DriftCheckFunctionRole ReadStates ssm:GetParameter': DRIFT,
  'DriftCheckFunctionRole Remember ssm:PutParameter': DRIFT,
  'DriftCheckFunctionRole SeeRunningSwitches ssm:GetAutomationExecution': DRIFT,
  'DriftCheckFunctionRole TellChanges events:PutEvents': DRIFT,
  'LoadBalancerFunctionRole ReadLaunchHooks autoscaling:DescribeAutoScalingInstances': HEALTH_CHECK,
  'LoadBalancerFunctionRole ReadLaunchHooks autoscaling:DescribeLifecycleHooks': HEALTH_CHECK,
  'ProxyProtocolFunctionRole FollowExecutions ssm:StopAutomationExecution':
    'only a Delete that comes while the Create still runs stops an execution: test/functions/proxy-protocol',
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
