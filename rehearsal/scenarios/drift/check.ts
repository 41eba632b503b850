/** The drift check as people and the schedule invoke it, and what it answers. */
import { DescribeStackResourceCommand } from '@aws-sdk/client-cloudformation';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { StartAutomationExecutionCommand } from '@aws-sdk/client-ssm';
import type { CheckAnswer, LoadBalancerResult } from '../../../functions/drift-check/finding.ts';
import { CREDENTIALS, type Environment } from '../../environment.ts';
import { REGION } from '../../world.ts';
import { failureOf, waitForExecution } from '../runbook.ts';
import { STACK } from '../stack.ts';

/** @returns the physical id of a resource of the stack */
export async function resource(environment: Environment, LogicalResourceId: string): Promise<string> {
  const { StackResourceDetail } = await environment.clients.cloudFormation.send(
    new DescribeStackResourceCommand({ StackName: STACK, LogicalResourceId }),
  );
  return StackResourceDetail?.PhysicalResourceId ?? '';
}

/** @throws Error  the function failed, with what it said */
export async function check(environment: Environment, loadBalancerName: string): Promise<LoadBalancerResult> {
  const lambda = new LambdaClient({ region: REGION, endpoint: environment.endpoint.url, credentials: CREDENTIALS });
  const { FunctionError, Payload = new Uint8Array() } = await lambda.send(
    new InvokeCommand({
      FunctionName: await resource(environment, 'DriftCheckFunction'),
      Payload: Buffer.from(JSON.stringify({ loadBalancerName })),
    }),
  );
  const answer = JSON.parse(Buffer.from(Payload).toString());
  if (FunctionError !== undefined) throw new Error(`the drift check failed: ${answer.errorMessage}`);
  const [found] = (answer as CheckAnswer).loadBalancers;
  if (found === undefined) throw new Error(`the drift check has no answer about ${loadBalancerName}`);
  return found;
}

/** By the runbook, as from the console. @returns its report @throws Error  it did not succeed */
export async function reportByRunbook(
  environment: Environment,
  loadBalancerName: string,
  interrupted: AbortSignal,
): Promise<string> {
  const { AutomationExecutionId = '' } = await environment.clients.ssm.send(
    new StartAutomationExecutionCommand({
      DocumentName: `${STACK}-drift`,
      Parameters: { LoadBalancerName: [loadBalancerName] },
    }),
  );
  const execution = await waitForExecution(environment, AutomationExecutionId, interrupted);
  if (execution.AutomationExecutionStatus !== 'Success') {
    throw new Error(`the drift runbook ended in ${execution.AutomationExecutionStatus}: ${failureOf(execution)}`);
  }
  return execution.Outputs?.['Check.report']?.join('') ?? '';
}
