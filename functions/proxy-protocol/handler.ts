/**
 * The custom resource: one request of CloudFormation in, one run of the runbook, one answer out. It knows nothing of ports or
 * policies; the runbook is the only place where the switch is written.
 *
 * A run may take longer than the 15 minutes of one invocation. The function then invokes itself with the same event and finds
 * in the request's memory where it was; so does an invocation that Lambda repeats after a kill.
 */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { CloudFormationCustomResourceEvent, Context } from 'aws-lambda';
import { messageOf } from '../shared/errors.ts';
import { type Answer, reply } from './cfn-response.ts';
import { type LifecycleDeps, type Outcome, serve } from './lifecycle.ts';
import { physicalResourceId } from './physical-resource-id.ts';

export interface Deps extends Omit<LifecycleDeps, 'invocationEndsAt'> {
  readonly lambda: LambdaClient;
  readonly fetch: typeof fetch;
}

/** What is left of an invocation when it hands on: enough for a poll that is under way, and the call itself. */
const HAND_ON_MS = 60_000;

export function createHandler(deps: Deps) {
  return async (
    event: CloudFormationCustomResourceEvent,
    context: Pick<Context, 'functionName' | 'getRemainingTimeInMillis'>,
  ): Promise<void> => {
    const { RequestType, StackId, LogicalResourceId, RequestId } = event;
    deps.log('request', { RequestType, StackId, LogicalResourceId, RequestId });
    const invocationEndsAt = deps.clock.now() + context.getRemainingTimeInMillis() - HAND_ON_MS;
    const outcome = await outcomeOf(event, { ...deps, invocationEndsAt });
    switch (outcome.kind) {
      case 'answer':
        await reply(deps, event, outcome.answer);
        return;
      case 'wait on':
        await deps.lambda.send(
          new InvokeCommand({
            FunctionName: context.functionName,
            InvocationType: 'Event',
            Payload: new TextEncoder().encode(JSON.stringify(event)),
          }),
        );
        return;
      case 'superseded':
        deps.log('superseded', { RequestId });
        return;
      default: {
        const never: never = outcome;
        throw new TypeError(`no such outcome: ${JSON.stringify(never)}`);
      }
    }
  };
}

async function outcomeOf(event: CloudFormationCustomResourceEvent, deps: LifecycleDeps): Promise<Outcome> {
  try {
    return await serve(deps, event);
  } catch (error) {
    deps.log('failed', { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined });
    return { kind: 'answer', answer: failure(event, messageOf(error)) };
  }
}

function failure(event: CloudFormationCustomResourceEvent, reason: string): Answer {
  const name: unknown = event.ResourceProperties.LoadBalancerName;
  const id =
    event.RequestType === 'Delete'
      ? event.PhysicalResourceId
      : typeof name === 'string' && name !== ''
        ? physicalResourceId(event.StackId, name)
        : `${event.LogicalResourceId}-without-load-balancer`;
  return { status: 'FAILED', physicalResourceId: id.slice(0, 1000), reason };
}
