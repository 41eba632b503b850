/**
 * AWS::CloudFormation::CustomResource and Custom::*: an event to a function, and the answer that it PUTs.
 *
 * Sources: user guide, "Custom resources", "Custom resource request objects", "… response objects", "Response timeout";
 * aws-cdk custom-resources README, "Important cases to handle". The function is invoked asynchronously (aws/aws-cdk#5873),
 * so Lambda repeats the event when the function fails.
 */
import { randomUUID } from 'node:crypto';
import { ResourceFailure } from '../errors.ts';
import { isObject, type Json, type JsonObject, stringifyScalars } from '../json.ts';
import { randomSuffix } from '../resource-operations.ts';
import type { Made, ResourceContext, ResourceType } from '../resource-type.ts';
import type { ResponseReceiver } from '../response-receiver.ts';

export interface CustomResourceOptions {
  readonly receiver: ResponseReceiver;
  /**
   * `fresh`: each request has an id of its own. `reused`: the same request of a stack's name has the same id when a failed
   * deployment is tried again, as AWS was seen to do (aws/aws-cdk#35957).
   */
  readonly requestIds: 'fresh' | 'reused';
  /** What a response of more than 4,096 bytes is: never an answer, or a failure at once ("Response object is too long."). */
  readonly oversizedResponse: 'ignored' | 'failed';
}

type RequestType = 'Create' | 'Update' | 'Delete';

interface Answer {
  readonly status: 'SUCCESS' | 'FAILED';
  readonly reason: string;
  readonly physicalResourceId: string | undefined;
  readonly data: Readonly<Record<string, Json>>;
}

const MAXIMUM_RESPONSE_BYTES = 4096;
const MAXIMUM_ID_BYTES = 1024;
const DEFAULT_TIMEOUT_SECONDS = 3600;

export function customResourceTypes(options: CustomResourceOptions): ResourceType[] {
  const usedIds = new Map<string, string>();

  function requestId(context: ResourceContext, requestType: RequestType): string {
    const key = [context.stackName, context.logicalId, requestType].join('|');
    const known = options.requestIds === 'reused' ? usedIds.get(key) : undefined;
    const id = known ?? randomUUID();
    usedIds.set(key, id);
    return id;
  }

  /** @throws ResourceFailure  not reached, not answered in time, cancelled, or the answer is none */
  async function request(
    requestType: RequestType,
    properties: JsonObject,
    more: JsonObject,
    context: ResourceContext,
  ): Promise<Answer & { requestId: string }> {
    const id = requestId(context, requestType);
    const serviceToken = requireServiceToken(properties);
    const timeoutSeconds = requireTimeout(properties);
    const identity = { StackId: context.stackId, RequestId: id, LogicalResourceId: context.logicalId };
    const { signal } = context;
    let settle: (answer: Answer) => void = () => {};
    let fail: (reason: string) => void = () => {};
    const answered = new Promise<Answer>((resolve, reject) => {
      settle = resolve;
      fail = (reason) => reject(new ResourceFailure(reason));
    });
    // It may be rejected while the invocation below is still under way.
    answered.catch(() => {});
    const address = await options.receiver.expect(`${context.stackId}|${context.logicalId}|${id}`, (body) => {
      if (body.byteLength > MAXIMUM_RESPONSE_BYTES) {
        if (options.oversizedResponse === 'failed') fail('Response object is too long.');
        return;
      }
      const answer = readAnswer(body, identity);
      if (answer !== undefined) settle(answer);
    });
    const timer = setTimeout(() => fail(noResponse(id)), timeoutSeconds * 1000);
    const cancelled = (): void => fail(`Resource ${requestType === 'Update' ? 'update' : 'creation'} cancelled`);
    if (signal.aborted) cancelled();
    signal.addEventListener('abort', cancelled, { once: true });
    try {
      const event = {
        RequestType: requestType,
        ServiceToken: serviceToken,
        ResponseURL: address.url,
        ...identity,
        ResourceType: context.type,
        ...more,
        ResourceProperties: stringifyScalars(properties),
      };
      await context.call('lambda', 'Invoke', {
        FunctionName: serviceToken,
        InvocationType: 'Event',
        Payload: Buffer.from(JSON.stringify(event)),
      });
      return { ...(await answered), requestId: id };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancelled);
      address.forget();
    }
  }

  const resourceType: Omit<ResourceType, 'name'> = {
    properties: undefined,
    required: ['ServiceToken'],
    replacedBy: [],
    attributes: undefined,

    /** Whatever goes wrong, a Delete follows, with the id that the function gave, or one made up for it. */
    async create(properties, context) {
      const invented = `${context.stackName}-${context.logicalId}-${randomSuffix()}`;
      let answer: Awaited<ReturnType<typeof request>>;
      try {
        answer = await request('Create', properties, {}, context);
      } catch (error) {
        throw new ResourceFailure(error instanceof Error ? error.message : String(error), invented);
      }
      if (!isPhysicalId(answer.physicalResourceId)) throw new ResourceFailure('Invalid PhysicalResourceId', invented);
      if (answer.status === 'FAILED') throw new ResourceFailure(refused(answer), answer.physicalResourceId);
      return made(answer.physicalResourceId, answer);
    },

    async update(existing, properties, context) {
      if (existing.properties.ServiceToken !== properties.ServiceToken) {
        throw new ResourceFailure('Modifying service token is not allowed.');
      }
      const more = {
        PhysicalResourceId: existing.physicalResourceId,
        OldResourceProperties: stringifyScalars(existing.properties),
      };
      const answer = await request('Update', properties, more, context);
      if (answer.status === 'FAILED') throw new ResourceFailure(refused(answer));
      if (!isPhysicalId(answer.physicalResourceId)) throw new ResourceFailure('Invalid PhysicalResourceId');
      return made(answer.physicalResourceId, answer);
    },

    async delete(existing, context) {
      const more = { PhysicalResourceId: existing.physicalResourceId };
      const answer = await request('Delete', existing.properties, more, context);
      if (answer.status === 'FAILED') throw new ResourceFailure(refused(answer));
    },
  };
  return [
    { name: 'AWS::CloudFormation::CustomResource', ...resourceType },
    { name: 'Custom::*', ...resourceType },
  ];
}

function made(physicalResourceId: string, { data }: Answer): Made {
  return { physicalResourceId, attributes: data };
}

function refused(answer: Answer & { requestId: string }): string {
  return `Received response status [FAILED] from custom resource. Message returned: ${answer.reason} (RequestId: ${answer.requestId})`;
}

function noResponse(requestId: string): string {
  return `CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [${requestId}]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.`;
}

function isPhysicalId(value: string | undefined): value is string {
  return value !== undefined && value !== '' && Buffer.byteLength(value) <= MAXIMUM_ID_BYTES;
}

function requireServiceToken({ ServiceToken: token }: JsonObject): string {
  if (typeof token === 'string' && token.startsWith('arn:aws:lambda:')) return token;
  throw new ResourceFailure(`Invalid service token ${JSON.stringify(token)}: the rehearsal has Lambda functions alone`);
}

function requireTimeout({ ServiceTimeout: timeout }: JsonObject): number {
  if (timeout === undefined) return DEFAULT_TIMEOUT_SECONDS;
  const seconds = Number(timeout);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= 3600) return seconds;
  throw new ResourceFailure(`ServiceTimeout must be from 1 to 3600 seconds, not ${JSON.stringify(timeout)}`);
}

/** @returns undefined for what CloudFormation cannot take as an answer to this request: it goes on waiting */
function readAnswer(body: Buffer, identity: JsonObject): Answer | undefined {
  let response: Json;
  try {
    response = JSON.parse(body.toString('utf8')) as Json;
  } catch {
    return undefined;
  }
  if (!isObject(response)) return undefined;
  if (Object.entries(identity).some(([key, value]) => response[key] !== value)) return undefined;
  const { Status: status, Reason: reason, PhysicalResourceId: id, Data: data } = response;
  if (status !== 'SUCCESS' && status !== 'FAILED') return undefined;
  return {
    status,
    reason: typeof reason === 'string' && reason !== '' ? reason : 'See the details in CloudWatch Log Stream',
    physicalResourceId: typeof id === 'string' ? id : undefined,
    data: isObject(data) ? data : {},
  };
}
