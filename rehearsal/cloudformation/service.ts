/** CloudFormation: stacks from templates, through the same actions that clients use. */
import type { Dispatcher, Service } from '../aws/service.ts';
import { IamStore } from '../iam/store.ts';
import { changeSet } from './actions/change-set.ts';
import { createStack } from './actions/create-stack.ts';
import { deleteStack } from './actions/delete-stack.ts';
import { describeStacks } from './actions/describe-stacks.ts';
import { getTemplate } from './actions/get-template.ts';
import { updateStack } from './actions/update-stack.ts';
import { createDeployment } from './deployment.ts';
import type { GetObject } from './include.ts';
import type { CloudFormationParts } from './parts.ts';
import { createResourceOperations } from './resource-operations.ts';
import { createResourceTypes } from './resources/index.ts';
import { createResponseReceiver } from './response-receiver.ts';
import { type StackEvent, StackStore } from './stack.ts';

export interface CloudFormationOptions {
  /** Asked when it is needed: the dispatcher is made from the services, this one among them. */
  readonly dispatcher: () => Pick<Dispatcher, 'call'>;
  /** Where roles and policies of stacks are kept. Default: a store of its own. */
  readonly iam?: IamStore;
  /** For TemplateURL and AWS::Include. Rejects where there is no such object. */
  readonly getObject: GetObject;
  readonly onEvent?: (event: StackEvent) => void;
  /** Default `fresh`; see `resources/custom-resource.ts`. */
  readonly requestIds?: 'fresh' | 'reused';
  /** Default `ignored`; see `resources/custom-resource.ts`. */
  readonly oversizedResponse?: 'ignored' | 'failed';
  /** How often the delete of a resource is tried. Default 3. */
  readonly deleteAttempts?: number;
}

export interface CloudFormationService extends Service {
  /** Newest last. @throws ServiceError ValidationError  no such stack */
  events(stackName: string): readonly StackEvent[];
  /** Resolves when nothing is under way in the stack. @returns its status then */
  settled(stackName: string): Promise<string>;
  /** Whatever is under way fails at once. */
  close(): Promise<void>;
}

export function createCloudFormationService(options: CloudFormationOptions): CloudFormationService {
  const iam = options.iam ?? new IamStore();
  const store = new StackStore();
  const receiver = createResponseReceiver();
  const onEvent = options.onEvent ?? (() => {});
  const settled = async (stackName: string): Promise<string> => {
    const stack = store.get(stackName);
    for (let seen: unknown; seen !== stack.operation; ) {
      seen = stack.operation;
      await stack.operation?.done;
    }
    return stack.status;
  };
  const findType = createResourceTypes(
    iam,
    {
      receiver,
      requestIds: options.requestIds ?? 'fresh',
      oversizedResponse: options.oversizedResponse ?? 'ignored',
    },
    settled,
  );
  const closing = new AbortController();
  const call = (signingName: string, action: string, input: unknown, accessKeyId: string): Promise<unknown> =>
    options.dispatcher().call(signingName, action, input, accessKeyId);
  const operations = createResourceOperations({
    findType,
    call,
    onEvent,
    deleteAttempts: options.deleteAttempts ?? 3,
    closing: closing.signal,
  });
  const parts: CloudFormationParts = {
    store,
    deployment: createDeployment(operations, onEvent),
    findType,
    getObject: options.getObject,
    async readStored(name, accessKeyId) {
      const answer = (await call('ssm', 'GetParameter', { Name: name }, accessKeyId)) as {
        Parameter?: { Value?: string };
      };
      return answer.Parameter?.Value ?? '';
    },
  };

  return {
    signingName: 'cloudformation',
    protocol: 'awsQuery',
    actions: {
      ...createStack(parts),
      ...updateStack(parts),
      ...deleteStack(parts),
      ...describeStacks(parts),
      ...getTemplate(parts),
      ...changeSet(parts),
    },
    events: (stackName) => store.get(stackName).events,
    settled,
    async close() {
      closing.abort();
      await Promise.all(store.all().map(({ operation }) => operation?.done));
      await receiver.close();
    },
  };
}
