/**
 * Run Command: sends a command to instances, so many at a time, and stops sending after so many errors.
 *
 * Source: Systems Manager API reference, SendCommand; user guide, "Understanding command statuses".
 */
import { randomUUID } from 'node:crypto';
import type { Command, CommandInvocation, CommandPlugin } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { ACCOUNT_ID, type Instance, type World } from '../../world.ts';
import { type Clock, untilAborted } from '../clock.ts';
import { ParameterError, type ParameterValues, resolveParameters, resolveReferences } from '../document-parameters.ts';
import type { CommandDocument } from '../document-schema/index.ts';
import type { DocumentStore } from '../documents.ts';
import { validationError } from '../errors.ts';
import type { Publish } from '../events.ts';
import { toTexts } from '../json.ts';
import type { ParameterStore } from '../parameters.ts';
import { type PluginResult, runSteps } from './agent.ts';
import { combined } from './output.ts';
import { commandStatus, type InvocationDetails, invocationStatus, isError, isTerminal, limit } from './statuses.ts';

export interface RunCommandOptions {
  /**
   * How long after SendCommand its invocations cannot be seen yet. 0 = at once. Unit: ms.
   * AWS gives no figure; that it happens: aws/aws-cli#3546, aws-sdk-ruby#2556.
   */
  readonly lateInvocationMs: number;
  /** How long a command takes to an agent that is online. 0 = no time. Unit: ms. */
  readonly deliveryMs: number;
  /** Instead of TimeoutSeconds + the execution timeout, which is an hour or more. undefined = as AWS. Unit: ms. */
  readonly deliveryTimeoutMs: number | undefined;
  /** The version that an instance's agent reports, and is. */
  readonly agentVersion: (instance: Instance) => string;
  /** True plays an instance of which the service knows that it cannot deliver (`Undeliverable`). */
  readonly isUndeliverable: (instance: Instance) => boolean;
  readonly s3Endpoint: string;
}

/** One step of the document on one instance, with its whole output. */
export interface Plugin {
  readonly summary: CommandPlugin;
  stdout: string;
  stderr: string;
}

export interface Invocation {
  readonly instance: Instance;
  readonly summary: CommandInvocation;
  readonly plugins: Plugin[];
  details: InvocationDetails;
  readonly cancellation: AbortController;
}

export interface SentCommand {
  readonly id: string;
  readonly summary: Command;
  invocations: Invocation[];
  /** Before this its invocations are not listed. Milliseconds since the epoch. */
  readonly visibleAt: number;
  isCancelled: boolean;
  /** Resolves when the command has reached a terminal status. */
  readonly ended: Promise<void>;
}

export interface SendCommandInput {
  readonly DocumentName: string;
  readonly DocumentVersion?: string;
  readonly InstanceIds?: readonly string[];
  readonly Targets?: readonly { readonly Key?: string; readonly Values?: readonly string[] }[];
  readonly Parameters?: Readonly<Record<string, readonly string[]>>;
  readonly TimeoutSeconds?: number;
  readonly MaxConcurrency?: string;
  readonly MaxErrors?: string;
  readonly Comment?: string;
}

const MAX_INSTANCE_IDS = 50;
const POLL_MS = 100;

export class RunCommand {
  readonly #commands = new Map<string, SentCommand>();
  readonly #world: World;
  readonly #documents: DocumentStore;
  readonly #parameters: ParameterStore;
  readonly #clock: Clock;
  readonly #options: RunCommandOptions;
  readonly #publish: Publish;
  readonly #mayRead: (instanceId: string, parameterName: string) => boolean;

  constructor(deps: {
    readonly world: World;
    readonly documents: DocumentStore;
    readonly parameters: ParameterStore;
    readonly clock: Clock;
    readonly options: RunCommandOptions;
    readonly publish: Publish;
    /** Whether the agent of an instance may read a parameter of the store. */
    readonly mayRead: (instanceId: string, parameterName: string) => boolean;
  }) {
    this.#world = deps.world;
    this.#documents = deps.documents;
    this.#parameters = deps.parameters;
    this.#clock = deps.clock;
    this.#options = deps.options;
    this.#publish = deps.publish;
    this.#mayRead = deps.mayRead;
  }

  /** Newest first, as the API lists them. */
  get commands(): SentCommand[] {
    return [...this.#commands.values()].reverse();
  }

  find(commandId: string): SentCommand | undefined {
    return this.#commands.get(commandId);
  }

  /** The invocations that can be seen by now. */
  visibleInvocations(command: SentCommand): readonly Invocation[] {
    return this.#clock.now() < command.visibleAt ? [] : command.invocations;
  }

  send(input: SendCommandInput): SentCommand {
    checkSendCommand(input);
    const version = this.#documents.version(input.DocumentName, input.DocumentVersion);
    if (version.read.type !== 'Command')
      throw new ServiceError(
        'InvalidDocument',
        `The document ${input.DocumentName} is of type ${version.read.type}, not Command.`,
      );
    const document = version.read.content;
    const parameters = this.#resolve(document, input);
    const instances = this.#targets(input);

    const now = this.#clock.now();
    const timeoutMs =
      this.#options.deliveryTimeoutMs ??
      ((input.TimeoutSeconds ?? 3600) + executionTimeoutSeconds(document, parameters)) * 1000;
    const id = randomUUID();
    const summary: Command = {
      CommandId: id,
      DocumentName: version.name,
      DocumentVersion: input.DocumentVersion ?? '$DEFAULT',
      Comment: input.Comment ?? '',
      ExpiresAfter: new Date(now + timeoutMs),
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, toTexts(value)])),
      InstanceIds: [...(input.InstanceIds ?? [])],
      Targets: (input.Targets ?? []).map(({ Key, Values }) => ({ Key, Values: [...(Values ?? [])] })),
      RequestedDateTime: new Date(now),
      Status: 'Pending',
      StatusDetails: 'Pending',
      MaxConcurrency: input.MaxConcurrency ?? '50',
      MaxErrors: input.MaxErrors ?? '0',
      // Targets are resolved after the answer: a command by tag has 0 at first ("0 total, 0 complete").
      TargetCount: input.InstanceIds?.length ?? 0,
      CompletedCount: 0,
      ErrorCount: 0,
      DeliveryTimedOutCount: 0,
      OutputS3BucketName: '',
      OutputS3KeyPrefix: '',
      ServiceRole: '',
      TimeoutSeconds: input.TimeoutSeconds ?? 3600,
    };
    const answered = { ...summary };
    const command: SentCommand = {
      id,
      summary,
      invocations: instances.map((instance) => newInvocation(instance, summary, document)),
      visibleAt: now + this.#options.lateInvocationMs,
      isCancelled: false,
      ended: Promise.resolve(),
    };
    this.#commands.set(id, command);
    this.#tell(command);
    const ended = this.#run(command, document, parameters, now + timeoutMs);
    Object.assign(command, { ended });
    return { ...command, summary: answered };
  }

  /** Ends what has not ended, on the given instances or all. "There's no guarantee that the command will be terminated". */
  cancel(commandId: string, instanceIds: readonly string[] = []): void {
    const command = this.#commands.get(commandId);
    if (!command) throw new ServiceError('InvalidCommandId', `Command ${commandId} does not exist.`);
    if (isTerminalStatus(command.summary.Status)) return;
    const chosen = command.invocations.filter(
      ({ instance }) => instanceIds.length === 0 || instanceIds.includes(instance.instanceId),
    );
    if (instanceIds.length === 0) {
      command.isCancelled = true;
      Object.assign(command.summary, { Status: 'Cancelling', StatusDetails: 'Cancelling' });
      this.#tell(command);
    }
    for (const invocation of chosen) {
      if (isTerminal(invocation.details)) continue;
      this.#set(command, invocation, 'Cancelling');
      invocation.cancellation.abort(new Error('The command was cancelled.'));
    }
  }

  cancelAll(): void {
    for (const command of this.#commands.values()) this.cancel(command.id);
  }

  #resolve(document: CommandDocument, input: SendCommandInput): ParameterValues {
    try {
      return resolveParameters(document.parameters ?? {}, input.Parameters ?? {}, this.#parameters);
    } catch (error) {
      if (error instanceof ParameterError) throw new ServiceError('InvalidParameters', error.message);
      throw error;
    }
  }

  #targets(input: SendCommandInput): Instance[] {
    const all = this.#world.managedInstances();
    if (input.InstanceIds?.length) {
      const unknown = input.InstanceIds.filter((id) => !all.some(({ instanceId }) => instanceId === id));
      if (unknown.length > 0)
        throw new ServiceError(
          'InvalidInstanceId',
          `Instances [[${unknown.join(', ')}]] not in a valid state for account ${ACCOUNT_ID}`,
        );
      return input.InstanceIds.flatMap((id) => this.#world.instances.get(id) ?? []);
    }
    return all.filter((instance) => (input.Targets ?? []).every((target) => isTargeted(instance, target)));
  }

  async #run(
    command: SentCommand,
    document: CommandDocument,
    parameters: ParameterValues,
    deadline: number,
  ): Promise<void> {
    const { summary } = command;
    const targets = command.invocations.length;
    const concurrency = Math.max(1, limit(summary.MaxConcurrency ?? '50', targets));
    const maxErrors = limit(summary.MaxErrors ?? '0', targets);
    const waiting = [...command.invocations];
    await Promise.resolve();
    summary.TargetCount = targets;

    const worker = async (): Promise<void> => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        const errors = command.invocations.filter(({ details }) => isError(details)).length;
        // In-flight invocations finish; those not yet sent are not sent any more.
        if (errors > maxErrors) this.#set(command, next, 'Terminated');
        else await this.#invoke(command, next, document, parameters, deadline);
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, targets) }, worker));

    await this.#clock.sleep(Math.max(0, command.visibleAt - this.#clock.now()));
    const { status, details } = commandStatus(
      command.invocations.map((invocation) => invocation.details),
      maxErrors,
      command.isCancelled,
    );
    Object.assign(summary, { Status: status, StatusDetails: details });
    this.#tell(command);
  }

  async #invoke(
    command: SentCommand,
    invocation: Invocation,
    document: CommandDocument,
    parameters: ParameterValues,
    deadline: number,
  ): Promise<void> {
    const { instance, cancellation } = invocation;
    const { signal } = cancellation;
    try {
      if (!signal.aborted) this.#set(command, invocation, 'InProgress');
      if (this.#options.isUndeliverable(instance)) return this.#set(command, invocation, 'Undeliverable');
      await this.#clock.sleep(this.#options.deliveryMs, signal);
      // "If the agent isn't running or available on the node, the command status remains at In Progress".
      while (!isOnline(instance)) {
        if (this.#clock.now() >= deadline) return this.#set(command, invocation, 'DeliveryTimedOut');
        await this.#clock.sleep(POLL_MS, signal);
      }
      const run = {
        instance,
        commandId: command.id,
        definitions: document.parameters ?? {},
        parameters: resolveReferences(document.parameters ?? {}, parameters, {
          get: (name: string) => {
            if (this.#mayRead(instance.instanceId, name)) return this.#parameters.get(name);
            throw new ServiceError(
              'AccessDeniedException',
              `The instance’s role does not allow ssm:GetParameters on ${name}`,
            );
          },
        }),
        agentVersion: this.#options.agentVersion(instance),
        s3Endpoint: this.#options.s3Endpoint,
        signal,
      };
      await runSteps(run, document.mainSteps, (step, result) => {
        const plugin = invocation.plugins.find(({ summary }) => summary.Name === step.name);
        if (plugin) this.#setPlugin(plugin, result);
      });
      this.#set(command, invocation, signal.aborted ? 'Cancelled' : outcome(invocation));
    } catch (error) {
      if (signal.aborted) return this.#set(command, invocation, 'Cancelled');
      // The machine's own fault (its host, not the script): as much a failure of the invocation as any other.
      const plugin = invocation.plugins[0];
      if (plugin) this.#setPlugin(plugin, { details: 'Failed', responseCode: -1, stdout: '', stderr: String(error) });
      this.#set(command, invocation, 'Failed');
    }
  }

  #setPlugin(plugin: Plugin, result: PluginResult | 'started'): void {
    const { summary } = plugin;
    const now = new Date(this.#clock.now());
    if (result === 'started') {
      Object.assign(summary, { Status: 'InProgress', StatusDetails: 'InProgress', ResponseStartDateTime: now });
      return;
    }
    plugin.stdout = result.stdout;
    plugin.stderr = result.stderr;
    Object.assign(summary, {
      Status: invocationStatus(result.details),
      StatusDetails: result.details,
      ResponseCode: result.responseCode,
      ResponseFinishDateTime: now,
      Output: combined(result.stdout, result.stderr),
    });
  }

  #set(command: SentCommand, invocation: Invocation, details: InvocationDetails): void {
    invocation.details = details;
    Object.assign(invocation.summary, { Status: invocationStatus(details), StatusDetails: details });
    if (isTerminal(details))
      for (const { summary } of invocation.plugins)
        if (summary.Status === 'Pending' || summary.Status === 'InProgress')
          Object.assign(summary, { Status: invocationStatus(details), StatusDetails: details });
    const all = command.invocations.map((each) => each.details);
    Object.assign(command.summary, {
      CompletedCount: all.filter(isTerminal).length,
      ErrorCount: all.filter(isError).length,
      DeliveryTimedOutCount: all.filter((each) => each === 'DeliveryTimedOut').length,
      ...(command.summary.Status === 'Pending' ? { Status: 'InProgress', StatusDetails: 'InProgress' } : {}),
    });
    this.#publish({
      type: 'invocation',
      commandId: command.id,
      instanceId: invocation.instance.instanceId,
      documentName: command.summary.DocumentName ?? '',
      status: invocationStatus(details),
      statusDetails: details,
    });
  }

  #tell(command: SentCommand): void {
    this.#publish({
      type: 'command',
      commandId: command.id,
      documentName: command.summary.DocumentName ?? '',
      status: command.summary.Status ?? '',
      statusDetails: command.summary.StatusDetails ?? '',
    });
  }
}

/** Resolves with the command when it has ended; rejects with the signal's reason if that comes first. */
export async function commandEnded(command: SentCommand, signal: AbortSignal): Promise<SentCommand> {
  await untilAborted(command.ended, signal);
  return command;
}

export const isOnline = (instance: Instance): boolean => instance.agentOnline && instance.machine.isRunning();

const isTerminalStatus = (status: string | undefined): boolean =>
  status !== 'Pending' && status !== 'InProgress' && status !== 'Cancelling';

function isTargeted(
  instance: Instance,
  target: { readonly Key?: string; readonly Values?: readonly string[] },
): boolean {
  const values = target.Values ?? [];
  const key = target.Key ?? '';
  if (key === 'InstanceIds') return values.includes(instance.instanceId) || values.includes('*');
  if (key === 'tag-key') return values.some((name) => Object.hasOwn(instance.tags, name));
  const tag = key.slice('tag:'.length);
  return Object.hasOwn(instance.tags, tag) && values.includes(instance.tags[tag] ?? '');
}

function checkSendCommand(input: SendCommandInput): void {
  const ids = input.InstanceIds ?? [];
  const targets = input.Targets ?? [];
  if (ids.length > MAX_INSTANCE_IDS)
    throw validationError(`InstanceIds has ${ids.length} ids; ${MAX_INSTANCE_IDS} are allowed. Use Targets for more.`);
  if (ids.length === 0 && targets.length === 0) throw validationError('InstanceIds or Targets must be specified.');
  if (ids.length > 0 && targets.length > 0) throw validationError('InstanceIds and Targets cannot both be specified.');
  for (const { Key } of targets)
    if (Key !== 'InstanceIds' && Key !== 'tag-key' && !Key?.startsWith('tag:'))
      throw new ServiceError('InvalidTarget', `The target key ${Key} is not supported by the rehearsal.`);
  const seconds = input.TimeoutSeconds ?? 3600;
  if (!Number.isInteger(seconds) || seconds < 30 || seconds > 2_592_000)
    throw validationError(`TimeoutSeconds ${seconds} is not between 30 and 2592000.`);
  if (!/^([1-9][0-9]*|[1-9][0-9]%|[1-9]%|100%)$/.test(input.MaxConcurrency ?? '50'))
    throw validationError(`MaxConcurrency '${input.MaxConcurrency}' is neither a number nor a percentage.`);
  if (!/^([1-9][0-9]*|0|[1-9][0-9]%|[0-9]%|100%)$/.test(input.MaxErrors ?? '0'))
    throw validationError(`MaxErrors '${input.MaxErrors}' is neither a number nor a percentage.`);
}

/** "The sum of the Timeout (seconds) parameter and the Execution timeout parameter" is the time for delivery. */
function executionTimeoutSeconds(document: CommandDocument, parameters: ParameterValues): number {
  const step = document.mainSteps.find(({ action }) => action === 'aws:runShellScript');
  const given = step?.action === 'aws:runShellScript' ? String(step.inputs.timeoutSeconds ?? '') : '';
  const name = given.match(/^\{\{\s*(.+?)\s*\}\}$/)?.[1];
  return Number(name === undefined ? given : parameters[name]) || 3600;
}

function newInvocation(instance: Instance, command: Command, document: CommandDocument): Invocation {
  const plugins = document.mainSteps.map(
    ({ name }): Plugin => ({
      summary: {
        Name: name,
        Status: 'Pending',
        StatusDetails: 'Pending',
        ResponseCode: -1,
        Output: '',
        StandardOutputUrl: '',
        StandardErrorUrl: '',
        OutputS3BucketName: '',
        OutputS3KeyPrefix: '',
      },
      stdout: '',
      stderr: '',
    }),
  );
  return {
    instance,
    summary: {
      CommandId: command.CommandId,
      InstanceId: instance.instanceId,
      InstanceName: instance.tags.Name ?? '',
      Comment: command.Comment,
      DocumentName: command.DocumentName,
      DocumentVersion: command.DocumentVersion,
      RequestedDateTime: command.RequestedDateTime,
      Status: 'Pending',
      StatusDetails: 'Pending',
      TraceOutput: '',
      StandardOutputUrl: '',
      StandardErrorUrl: '',
      ServiceRole: '',
    },
    plugins,
    details: 'Pending',
    cancellation: new AbortController(),
  };
}

/** "For a command invocation, this indicates that the result code for one or more plugins wasn't zero." */
function outcome(invocation: Invocation): InvocationDetails {
  const details = invocation.plugins.map(({ summary }) => summary.StatusDetails);
  if (details.includes('ExecutionTimedOut')) return 'ExecutionTimedOut';
  return details.includes('Failed') ? 'Failed' : 'Success';
}
