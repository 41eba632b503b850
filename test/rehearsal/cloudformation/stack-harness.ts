/**
 * CloudFormation with a Lambda that is a function of the test: it gets what a custom resource gets and PUTs what it wants.
 * The other services record their calls.
 */
import { ServiceError } from '../../../rehearsal/aws/service.ts';
import {
  type CloudFormationOptions,
  type CloudFormationService,
  createCloudFormationService,
} from '../../../rehearsal/cloudformation/service.ts';
import type { StackEvent } from '../../../rehearsal/cloudformation/stack.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where it is not so
export type Answer = any;

export interface CustomResourceEvent {
  readonly RequestType: 'Create' | 'Update' | 'Delete';
  readonly ResponseURL: string;
  readonly StackId: string;
  readonly RequestId: string;
  readonly LogicalResourceId: string;
  readonly ResourceType: string;
  readonly PhysicalResourceId?: string;
  readonly ResourceProperties: Record<string, Answer>;
  readonly OldResourceProperties?: Record<string, Answer>;
}

/** What the function answers; undefined = it never answers. */
export type Respond = (event: CustomResourceEvent) => Record<string, unknown> | undefined | Promise<undefined>;

export interface StackHarness {
  readonly service: CloudFormationService;
  /** What custom resources were sent, oldest first. */
  readonly events: CustomResourceEvent[];
  /** Calls to other services, as `ssm:CreateDocument`. */
  readonly calls: { readonly name: string; readonly input: Answer }[];
  respond: Respond;
  /** Answers of other services by `ssm:CreateDocument`; may throw. */
  readonly answers: Map<string, (input: Answer) => unknown>;
  readonly objects: Map<string, string>;
  call(action: string, input: Record<string, unknown>): Promise<Answer>;
  create(template: unknown, input?: Record<string, unknown>): Promise<string>;
  update(template: unknown, input?: Record<string, unknown>): Promise<string>;
  delete(): Promise<string>;
  /** `Logical STATUS` or `Logical STATUS reason`, without the stack's own unless asked for. */
  history(options?: { stack?: boolean; reasons?: boolean }): string[];
  outputs(): Promise<Record<string, string>>;
  close(): Promise<void>;
}

export const STACK = 'web';
export const FUNCTION_ARN = 'arn:aws:lambda:eu-central-1:111122223333:function:handler';

/** `SUCCESS` with an id that is a function of what the resource is for. */
export const succeed: Respond = ({ ResourceProperties, PhysicalResourceId }) => ({
  Status: 'SUCCESS',
  PhysicalResourceId: PhysicalResourceId ?? `id-of-${ResourceProperties.Name ?? 'it'}`,
  Data: { Name: ResourceProperties.Name, Count: 3 },
});

export function startStacks(options: Partial<CloudFormationOptions> = {}): StackHarness {
  const events: CustomResourceEvent[] = [];
  const calls: StackHarness['calls'] = [];
  const objects = new Map<string, string>();
  const answers = new Map<string, (input: Answer) => unknown>();
  const seen: StackEvent[] = [];

  async function invoke(event: CustomResourceEvent): Promise<void> {
    events.push(event);
    const response = await harness.respond(event);
    if (response !== undefined) await put(event, response);
  }

  const service = createCloudFormationService({
    dispatcher: () => ({
      async call(signingName, action, input: Answer) {
        if (action === 'Invoke') {
          void invoke(JSON.parse(Buffer.from(input.Payload).toString()));
          return { StatusCode: 202 };
        }
        calls.push({ name: `${signingName}:${action}`, input });
        const answer = answers.get(`${signingName}:${action}`);
        if (answer !== undefined) return answer(input);
        if (action === 'CreateFunction') {
          return { FunctionArn: `arn:aws:lambda:eu-central-1:111122223333:function:${input.FunctionName}` };
        }
        return {};
      },
    }),
    async getObject(bucket, key) {
      const found = objects.get(`${bucket}/${key}`);
      if (found === undefined) throw new ServiceError('NoSuchKey', 'The specified key does not exist.', 404);
      return Buffer.from(found);
    },
    onEvent: (event) => seen.push(event),
    deleteAttempts: 1,
    ...options,
  });

  const call = async (action: string, input: Record<string, unknown>): Promise<Answer> => {
    const run = service.actions[action];
    if (run === undefined) throw new Error(`no action ${action}`);
    return run(input, { accessKeyId: 'AKIATEST', requestId: 'test' });
  };
  const body = (template: unknown): string => (typeof template === 'string' ? template : JSON.stringify(template));

  const harness: StackHarness = {
    service,
    events,
    calls,
    respond: succeed,
    answers,
    objects,
    call,
    async create(template, input = {}) {
      const { StackId } = await call('CreateStack', { StackName: STACK, TemplateBody: body(template), ...input });
      return service.settled(StackId);
    },
    async update(template, input = {}) {
      await call('UpdateStack', { StackName: STACK, TemplateBody: body(template), ...input });
      return service.settled(STACK);
    },
    async delete() {
      const { Stacks } = await call('DescribeStacks', { StackName: STACK });
      await call('DeleteStack', { StackName: STACK });
      return service.settled(Stacks[0].StackId);
    },
    history({ stack = false, reasons = false } = {}) {
      return seen
        .filter(({ PhysicalResourceId, StackId }) => stack || PhysicalResourceId !== StackId)
        .map(({ LogicalResourceId, ResourceStatus, ResourceStatusReason }) =>
          [LogicalResourceId, ResourceStatus, ...(reasons && ResourceStatusReason ? [ResourceStatusReason] : [])].join(
            ' ',
          ),
        );
    },
    async outputs() {
      const { Stacks } = await call('DescribeStacks', { StackName: STACK });
      return Object.fromEntries(
        Stacks[0].Outputs.map(({ OutputKey, OutputValue }: Answer) => [OutputKey, OutputValue]),
      );
    },
    close: () => service.close(),
  };
  return harness;
}

/** As a function does it. */
export async function put(
  event: CustomResourceEvent,
  response: Record<string, unknown>,
  init: RequestInit = {},
): Promise<number> {
  const { StackId, RequestId, LogicalResourceId } = event;
  const body = JSON.stringify({ StackId, RequestId, LogicalResourceId, ...response });
  const headers = { 'content-type': '' };
  return (await fetch(event.ResponseURL, { method: 'PUT', headers, body, ...init })).status;
}

/** Custom resources by logical id. */
export function template(
  resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  more: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  return {
    ...more,
    Resources: Object.fromEntries(
      Object.entries(resources).map(([id, { DependsOn, DeletionPolicy, UpdateReplacePolicy, Type, ...properties }]) => [
        id,
        {
          Type: Type ?? 'Custom::Thing',
          ...(DependsOn !== undefined && { DependsOn }),
          ...(DeletionPolicy !== undefined && { DeletionPolicy }),
          ...(UpdateReplacePolicy !== undefined && { UpdateReplacePolicy }),
          Properties: Type === undefined ? { ServiceToken: FUNCTION_ARN, ...properties } : properties,
        },
      ]),
    ),
  };
}
