/**
 * Systems Manager: documents, Parameter Store, Run Command, Automation, and a little of State Manager.
 *
 * Commands are really run on the instances' machines; runbooks really call the other services, through the dispatcher.
 */
import type { AutomationExecution, Command } from '@aws-sdk/client-ssm';
import type { Action, Dispatcher, Service } from '../aws/service.ts';
import { parameterArn } from '../iam/requirements/ssm.ts';
import { type Security, UNENFORCED } from '../iam/security.ts';
import { ADDRESSES } from '../network/fabric.ts';
import type { World } from '../world.ts';
import { addTagsToResource } from './actions/add-tags-to-resource.ts';
import { cancelCommand } from './actions/cancel-command.ts';
import type { SsmContext } from './actions/context.ts';
import { createAssociation } from './actions/create-association.ts';
import { createDocument } from './actions/create-document.ts';
import { deleteAssociation } from './actions/delete-association.ts';
import { deleteDocument } from './actions/delete-document.ts';
import { deleteParameter } from './actions/delete-parameter.ts';
import { describeAssociation } from './actions/describe-association.ts';
import { describeAutomationExecutions } from './actions/describe-automation-executions.ts';
import { describeAutomationStepExecutions } from './actions/describe-automation-step-executions.ts';
import { describeDocument } from './actions/describe-document.ts';
import { describeInstanceInformation } from './actions/describe-instance-information.ts';
import { getAutomationExecution } from './actions/get-automation-execution.ts';
import { getCommandInvocation } from './actions/get-command-invocation.ts';
import { getDocument } from './actions/get-document.ts';
import { getParameter } from './actions/get-parameter.ts';
import { getParameters } from './actions/get-parameters.ts';
import { getParametersByPath } from './actions/get-parameters-by-path.ts';
import { listAssociations } from './actions/list-associations.ts';
import { listCommandInvocations } from './actions/list-command-invocations.ts';
import { listCommands } from './actions/list-commands.ts';
import { listDocuments } from './actions/list-documents.ts';
import { listTagsForResource } from './actions/list-tags-for-resource.ts';
import { putParameter } from './actions/put-parameter.ts';
import { sendCommand } from './actions/send-command.ts';
import { startAutomationExecution } from './actions/start-automation-execution.ts';
import { stopAutomationExecution } from './actions/stop-automation-execution.ts';
import { updateAssociation } from './actions/update-association.ts';
import { updateDocument } from './actions/update-document.ts';
import { updateDocumentDefaultVersion } from './actions/update-document-default-version.ts';
import { AssociationStore } from './associations.ts';
import { Automation } from './automation/automation.ts';
import { type Clock, systemClock } from './clock.ts';
import { DocumentStore } from './documents.ts';
import type { Publish, SsmEvent } from './events.ts';
import { ParameterStore } from './parameters.ts';
import { RunCommand, type RunCommandOptions } from './run-command/run-command.ts';

export type { SsmEvent } from './events.ts';

/** An execution with its steps, as GetAutomationExecution answers it, and who its own calls are signed as. */
export interface ExecutionView extends AutomationExecution {
  readonly accessKeyId: string;
}

export interface SsmService extends Service {
  /** Calls the listener on each change of state; a listener that throws is the caller's fault and is not caught. */
  subscribe(listener: (event: SsmEvent) => void): () => void;
  /** Newest first; a copy of how things are now. */
  readonly executions: readonly ExecutionView[];
  readonly commands: readonly Command[];
  /** The role that a runbook names. undefined: none, or there is no such runbook. */
  assumeRoleOf(documentName: string, documentVersion: string | undefined): string | undefined;
  /** Ends what runs and waits until it has: executions without their onCancel, commands on their machines. */
  close(): Promise<void>;
}

/** What AWS's figures are is said with each option. */
export type SsmOptions = Partial<RunCommandOptions>;

/** What Amazon Linux 2023 has in 2026; facts, section 4. */
export const AGENT_VERSION = '3.3.5226.0';

const DEFAULT_OPTIONS: RunCommandOptions = {
  lateInvocationMs: 300,
  deliveryMs: 50,
  deliveryTimeoutMs: undefined,
  agentVersion: () => AGENT_VERSION,
  isUndeliverable: () => false,
  s3Endpoint: `http://${ADDRESSES.gateway}${ADDRESSES.s3Port === 80 ? '' : `:${ADDRESSES.s3Port}`}`,
};

export function createSsmService({
  world,
  dispatcher,
  security = UNENFORCED,
  instanceSession = () => undefined,
  clock = systemClock,
  options: given = {},
  publicParameters = new Map(),
}: {
  readonly world: World;
  /** Asked for when it is first needed, since the dispatcher holds this service too. */
  readonly dispatcher: () => Dispatcher;
  readonly security?: Security;
  /** The access key id that the agent of an instance calls with. undefined: whatever it is, it suffices. */
  readonly instanceSession?: (instanceId: string) => string | undefined;
  readonly clock?: Clock;
  readonly options?: SsmOptions;
  /** What Parameter Store has for everybody, by name. */
  readonly publicParameters?: ReadonlyMap<string, string>;
}): SsmService {
  const options = { ...DEFAULT_OPTIONS, ...given };
  const listeners = new Set<(event: SsmEvent) => void>();
  const publish: Publish = (event) => {
    for (const listener of listeners) listener({ ...event, at: clock.now() } as SsmEvent);
  };
  const documents = new DocumentStore(clock);
  const parameters = new ParameterStore(clock, publicParameters);
  const mayRead = (instanceId: string, parameterName: string): boolean => {
    const accessKeyId = instanceSession(instanceId);
    const resource = parameterArn(parameterName);
    return (
      accessKeyId === undefined ||
      security.refusal(accessKeyId, { action: 'ssm:GetParameters', resource }) === undefined
    );
  };
  const runCommand = new RunCommand({ world, documents, parameters, clock, options, publish, mayRead });
  const automation = new Automation(documents, parameters, security, () => ({
    dispatcher: dispatcher(),
    runCommand,
    clock,
    publish,
  }));
  const associations = new AssociationStore(world, runCommand, clock);
  const context: SsmContext = { world, clock, documents, parameters, runCommand, automation, associations, options };

  return {
    signingName: 'ssm',
    protocol: 'awsJson1_1',
    actions: actions(context),
    subscribe: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    get executions() {
      return automation.executions.map(({ summary, steps, accessKeyId }) => ({
        ...summary,
        StepExecutions: steps,
        accessKeyId,
      }));
    },
    get commands() {
      return runCommand.commands.map(({ summary }) => ({ ...summary }));
    },
    assumeRoleOf: (name, version) => automation.assumeRoleOf(name, version),
    close: async () => {
      associations.close();
      for (const execution of automation.executions) execution.kill();
      runCommand.cancelAll();
      await Promise.all([
        ...automation.executions.map(({ ended }) => ended),
        ...runCommand.commands.map(({ ended }) => ended),
      ]);
    },
  };
}

/** Every action there is; any other is answered as one that the service does not know. */
function actions(context: SsmContext): Readonly<Record<string, Action>> {
  return {
    AddTagsToResource: addTagsToResource(context),
    CancelCommand: cancelCommand(context),
    CreateAssociation: createAssociation(context),
    CreateDocument: createDocument(context),
    DeleteAssociation: deleteAssociation(context),
    DeleteDocument: deleteDocument(context),
    DeleteParameter: deleteParameter(context),
    DescribeAssociation: describeAssociation(context),
    DescribeAutomationExecutions: describeAutomationExecutions(context),
    DescribeAutomationStepExecutions: describeAutomationStepExecutions(context),
    DescribeDocument: describeDocument(context),
    DescribeInstanceInformation: describeInstanceInformation(context),
    GetAutomationExecution: getAutomationExecution(context),
    GetCommandInvocation: getCommandInvocation(context),
    GetDocument: getDocument(context),
    GetParameter: getParameter(context),
    GetParameters: getParameters(context),
    GetParametersByPath: getParametersByPath(context),
    ListAssociations: listAssociations(context),
    ListCommandInvocations: listCommandInvocations(context),
    ListCommands: listCommands(context),
    ListDocuments: listDocuments(context),
    ListTagsForResource: listTagsForResource(context),
    PutParameter: putParameter(context),
    SendCommand: sendCommand(context),
    StartAutomationExecution: startAutomationExecution(context),
    StopAutomationExecution: stopAutomationExecution(context),
    UpdateAssociation: updateAssociation(context),
    UpdateDocument: updateDocument(context),
    UpdateDocumentDefaultVersion: updateDocumentDefaultVersion(context),
  };
}
