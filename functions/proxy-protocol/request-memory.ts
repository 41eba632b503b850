/**
 * What the function remembers of the request that it is working on, across its own invocations: `/proxyflip/requests/<resource>`.
 *
 * The same event comes more than once: Lambda delivers asynchronous events at least once, invokes again what was killed, and the
 * function invokes itself with it to wait on. Two deliveries of one request share its ResponseURL. The RequestId does not tell:
 * CloudFormation gives it again to the retry of a failed deployment.
 */
import { createHash, randomUUID } from 'node:crypto';
import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import type { CloudFormationCustomResourceEvent } from 'aws-lambda';
import { serviceErrorName } from '../shared/errors.ts';

export interface RequestMemory {
  /** Of the request; two deliveries of one have the same. */
  readonly identity: string;
  /** Milliseconds since the epoch: by then the answer has to be given. */
  readonly deadline: number;
  /** For StartAutomationExecution, which takes a UUID once. */
  readonly clientToken: string;
  readonly executionId?: string;
  /** Of the request before this one: CloudFormation has given it up, and what it started may still be at work. */
  readonly previousExecutionId?: string | undefined;
  /** Requests that this one came after: CloudFormation does not wait for them any more. The newest ten. */
  readonly superseded: readonly string[];
}

export type Recall = { readonly kind: 'current'; readonly memory: RequestMemory } | { readonly kind: 'superseded' };

function identityOf(event: CloudFormationCustomResourceEvent): string {
  return createHash('sha256')
    .update([event.RequestType, event.ResponseURL, JSON.stringify(event.ResourceProperties)].join('\n'))
    .digest('hex')
    .slice(0, 16);
}

/** Recall the request, or begin to remember it. */
export async function recall(
  ssm: SSMClient,
  event: CloudFormationCustomResourceEvent,
  deadlineIfNew: number,
): Promise<Recall> {
  const identity = identityOf(event);
  const stored = await read(ssm, event);
  if (stored?.identity === identity) return { kind: 'current', memory: stored };
  if (stored?.superseded.includes(identity)) return { kind: 'superseded' };
  const memory: RequestMemory = {
    identity,
    deadline: deadlineIfNew,
    clientToken: randomUUID(),
    previousExecutionId: stored?.executionId ?? stored?.previousExecutionId,
    superseded: stored === undefined ? [] : [stored.identity, ...stored.superseded].slice(0, 10),
  };
  await remember(ssm, event, memory);
  return { kind: 'current', memory };
}

export async function remember(
  ssm: SSMClient,
  event: CloudFormationCustomResourceEvent,
  memory: RequestMemory,
): Promise<void> {
  await ssm.send(
    new PutParameterCommand({
      Name: parameterName(event),
      Description: `The request of ${event.LogicalResourceId} that proxyflip is working on.`,
      Value: JSON.stringify(memory),
      Type: 'String',
      Overwrite: true,
    }),
  );
}

export async function forget(ssm: SSMClient, event: CloudFormationCustomResourceEvent): Promise<void> {
  try {
    await ssm.send(new DeleteParameterCommand({ Name: parameterName(event) }));
  } catch (error) {
    if (serviceErrorName(error) !== 'ParameterNotFound') throw error;
  }
}

async function read(ssm: SSMClient, event: CloudFormationCustomResourceEvent): Promise<RequestMemory | undefined> {
  try {
    const { Parameter } = await ssm.send(new GetParameterCommand({ Name: parameterName(event) }));
    return JSON.parse(Parameter?.Value ?? '') as RequestMemory;
  } catch (error) {
    if (serviceErrorName(error) === 'ParameterNotFound') return undefined;
    throw error;
  }
}

const parameterName = (event: CloudFormationCustomResourceEvent): string =>
  `/proxyflip/requests/${createHash('sha256').update(`${event.StackId} ${event.LogicalResourceId}`).digest('hex').slice(0, 32)}`;
