/**
 * Automation: starts executions of runbooks, and knows those that were.
 *
 * Source: Systems Manager API reference, StartAutomationExecution and StopAutomationExecution.
 */
import { ServiceError } from '../../aws/service.ts';
import { callerOf } from '../../iam/caller.ts';
import { RoleNotAssumable, type Security } from '../../iam/security.ts';
import { ACCOUNT_ID, REGION } from '../../world.ts';
import { ParameterError, resolveParameters } from '../document-parameters.ts';
import type { DocumentStore } from '../documents.ts';
import { validationError } from '../errors.ts';
import type { ParameterStore } from '../parameters.ts';
import { Execution, type ExecutionDeps } from './execution.ts';

export interface StartInput {
  readonly DocumentName: string;
  readonly DocumentVersion?: string;
  readonly Parameters?: Readonly<Record<string, readonly string[]>>;
  readonly ClientToken?: string;
  readonly Mode?: string;
  readonly [unsupported: string]: unknown;
}

/** Rate control and cross-account runs; refused, never ignored. */
const UNSUPPORTED = [
  'TargetParameterName',
  'Targets',
  'TargetMaps',
  'TargetLocations',
  'TargetLocationsURL',
  'AlarmConfiguration',
];

export class Automation {
  readonly #executions = new Map<string, Execution>();
  readonly #tokens = new Map<string, { readonly input: string; readonly executionId: string }>();
  readonly #documents: DocumentStore;
  readonly #parameters: ParameterStore;
  readonly #security: Security;
  readonly #deps: () => ExecutionDeps;

  constructor(documents: DocumentStore, parameters: ParameterStore, security: Security, deps: () => ExecutionDeps) {
    this.#documents = documents;
    this.#parameters = parameters;
    this.#security = security;
    this.#deps = deps;
  }

  /** Newest first, as the API lists them. */
  get executions(): Execution[] {
    return [...this.#executions.values()].reverse();
  }

  get(executionId: string): Execution {
    const execution = this.#executions.get(executionId);
    if (!execution)
      throw new ServiceError(
        'AutomationExecutionNotFoundException',
        `Automation Execution with ID: ${executionId} does not exist.`,
      );
    return execution;
  }

  start(input: StartInput, accessKeyId: string): Execution {
    const unsupported = UNSUPPORTED.filter((name) => input[name] !== undefined);
    if (unsupported.length > 0) throw validationError(`${unsupported.join(', ')} is not supported by the rehearsal.`);
    if (input.Mode !== undefined && input.Mode !== 'Auto')
      throw validationError(`Mode ${input.Mode} is not supported by the rehearsal.`);
    const repeated = this.#repeated(input);
    if (repeated) return repeated;

    const version = this.#definition(input);
    if (version.read.type !== 'Automation')
      throw new ServiceError(
        'AutomationDefinitionNotFoundException',
        `Document ${input.DocumentName} is not an Automation runbook.`,
      );
    const document = version.read.content;
    const execution = new Execution(
      document,
      this.#resolve(document.parameters ?? {}, input.Parameters ?? {}),
      {
        documentName: version.name,
        documentVersion: version.version,
        executedBy: callerOf(accessKeyId).arn,
        signAs: (executionId) => this.#session(document.assumeRole, executionId, accessKeyId),
      },
      this.#deps(),
    );
    this.#executions.set(execution.id, execution);
    if (input.ClientToken !== undefined)
      this.#tokens.set(input.ClientToken.toLowerCase(), { input: fingerprint(input), executionId: execution.id });
    execution.start();
    return execution;
  }

  assumeRoleOf(documentName: string, documentVersion: string | undefined): string | undefined {
    try {
      const { read } = this.#documents.version(documentName, documentVersion);
      return read.type === 'Automation' ? read.content.assumeRole : undefined;
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return undefined;
    }
  }

  stop(executionId: string, type: string): void {
    if (type !== 'Cancel' && type !== 'Complete') throw validationError(`Type ${type} is neither Cancel nor Complete.`);
    const execution = this.get(executionId);
    if (!execution.stop(type))
      throw new ServiceError(
        'InvalidAutomationStatusUpdateException',
        `The execution ${executionId} is ${execution.summary.AutomationExecutionStatus} and can't be stopped.`,
      );
  }

  /** Without a role an execution acts as who started it. Words: user guide, "Troubleshooting Systems Manager Automation". */
  #session(roleArn: string | undefined, executionId: string, accessKeyId: string): string {
    if (roleArn === undefined || roleArn === '') return accessKeyId;
    if (roleArn.includes('{{')) throw validationError('A parameter in assumeRole is not supported by the rehearsal.');
    try {
      return this.#security.assume({
        roleArn,
        principal: 'ssm.amazonaws.com',
        sessionName: `Automation-${executionId}`,
        sourceArn: `arn:aws:ssm:${REGION}:${ACCOUNT_ID}:automation-execution/${executionId}`,
      });
    } catch (error) {
      if (!(error instanceof RoleNotAssumable)) throw error;
      throw new ServiceError(
        'InvalidAutomationExecutionParametersException',
        `The defined assume role is unable to be assumed. (${error.message})`,
      );
    }
  }

  /** "Unique, case insensitive, enforces the UUID format, and can't be reused." The same call again gets the same answer. */
  #repeated(input: StartInput): Execution | undefined {
    const token = input.ClientToken;
    if (token === undefined) return undefined;
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(token))
      throw validationError(`ClientToken '${token}' is not a UUID.`);
    const before = this.#tokens.get(token.toLowerCase());
    if (before && before.input !== fingerprint(input))
      throw new ServiceError(
        'IdempotentParameterMismatch',
        `The client token ${token} was already used with other parameters.`,
      );
    return before && this.#executions.get(before.executionId);
  }

  #definition(input: StartInput) {
    try {
      return this.#documents.version(input.DocumentName, input.DocumentVersion);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      throw error.code === 'InvalidDocumentVersion'
        ? new ServiceError('AutomationDefinitionVersionNotFoundException', error.message)
        : new ServiceError('AutomationDefinitionNotFoundException', error.message);
    }
  }

  #resolve(definitions: Parameters<typeof resolveParameters>[0], given: Parameters<typeof resolveParameters>[1]) {
    try {
      return resolveParameters(definitions, given, this.#parameters);
    } catch (error) {
      if (error instanceof ParameterError)
        throw new ServiceError('InvalidAutomationExecutionParametersException', error.message);
      throw error;
    }
  }
}

const fingerprint = ({ DocumentName, DocumentVersion, Parameters }: StartInput): string =>
  JSON.stringify([DocumentName, DocumentVersion, Object.entries(Parameters ?? {}).sort()]);
