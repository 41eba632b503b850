/**
 * What each action does, apart from aws:loop, which the engine does itself. One function per action; each takes the step's
 * inputs with the references resolved, and honours the signal.
 *
 * Source: Systems Manager user guide, "Systems Manager Automation actions reference", the page named in each comment.
 */
import type { Dispatcher } from '../../aws/service.ts';
import { type Clock, untilAborted } from '../clock.ts';
import type { AutomationStep, Condition } from '../document-schema/automation.ts';
import { messageOf } from '../errors.ts';
import type { JsonObject, JsonValue } from '../json.ts';
import { isObject, toText, toTexts } from '../json.ts';
import { commandEnded, type RunCommand } from '../run-command/run-command.ts';
import { isTrue } from './conditions.ts';
import { select } from './selector.ts';
import { StepFailure } from './step-failure.ts';

export interface ActionContext {
  readonly inputs: Readonly<Record<string, JsonValue>>;
  readonly dispatcher: Dispatcher;
  readonly runCommand: RunCommand;
  readonly clock: Clock;
  /** Who the step's calls are signed as. */
  readonly accessKeyId: string;
  readonly signal: AbortSignal;
  setVariable(name: string, value: JsonValue): void;
  /** Outputs that stand even if the step fails after them. */
  putOut(outputs: Readonly<Record<string, JsonValue>>): void;
}

export interface ActionResult {
  /** What the action itself puts out, by name. */
  readonly outputs: Readonly<Record<string, JsonValue>>;
  /** What the step's own `outputs` select from. */
  readonly response?: JsonValue;
  /** aws:branch: the step to go to; null when no choice is true and there is no Default. */
  readonly nextStep?: string | null;
  readonly responseCode?: string;
}

type SimpleAction = Exclude<AutomationStep['action'], 'aws:loop'>;

export const stepActions: Readonly<Record<SimpleAction, (context: ActionContext) => Promise<ActionResult>>> = {
  'aws:runCommand': runCommandAction,
  'aws:invokeLambdaFunction': invokeLambdaFunction,
  'aws:executeAwsApi': executeAwsApi,
  'aws:assertAwsResourceProperty': assertAwsResourceProperty,
  'aws:waitForAwsResourceProperty': waitForAwsResourceProperty,
  'aws:branch': branch,
  'aws:sleep': sleep,
  'aws:updateVariable': updateVariable,
};

/** The longest that a step of the action may take, whatever its timeoutSeconds says. Unit: seconds. */
export const LONGEST_SECONDS: Readonly<Partial<Record<AutomationStep['action'], number>>> = {
  'aws:invokeLambdaFunction': 300,
  'aws:executeAwsApi': 25,
};

const POLL_MS = 1000;

/** automation-action-runcommand: "If you target a tag or multiple instances with your command, no output value is returned." */
async function runCommandAction({
  inputs,
  dispatcher,
  runCommand,
  accessKeyId,
  signal,
  putOut,
}: ActionContext): Promise<ActionResult> {
  const { Parameters, InstanceIds, TimeoutSeconds, MaxConcurrency, MaxErrors, ...rest } = inputs;
  const sent = (await call(dispatcher, 'ssm', 'SendCommand', accessKeyId, {
    ...rest,
    ...(InstanceIds === undefined ? {} : { InstanceIds: toTexts(InstanceIds) }),
    ...(TimeoutSeconds === undefined ? {} : { TimeoutSeconds: Number(TimeoutSeconds) }),
    ...(MaxConcurrency === undefined ? {} : { MaxConcurrency: toText(MaxConcurrency) }),
    ...(MaxErrors === undefined ? {} : { MaxErrors: toText(MaxErrors) }),
    ...(isObject(Parameters)
      ? {
          Parameters: Object.fromEntries(
            Object.entries(Parameters).map(([name, value]) => [name, toTexts(value as JsonValue)]),
          ),
        }
      : {}),
  })) as { readonly Command?: { readonly CommandId?: string } };
  const command = runCommand.find(sent.Command?.CommandId ?? '');
  if (!command) throw new StepFailure('SendCommand answered without a command.');
  putOut({ CommandId: command.id });
  try {
    await commandEnded(command, signal);
  } catch (error) {
    await call(dispatcher, 'ssm', 'CancelCommand', accessKeyId, { CommandId: command.id });
    throw error;
  }
  // How it ended is asked for with the runbook's own permissions: AWS's own runbooks with this action name these three.
  await call(dispatcher, 'ssm', 'DescribeInstanceInformation', accessKeyId, {});
  await call(dispatcher, 'ssm', 'ListCommands', accessKeyId, { CommandId: command.id });
  await call(dispatcher, 'ssm', 'ListCommandInvocations', accessKeyId, { CommandId: command.id });
  const { Status, StatusDetails } = command.summary;
  const [only] = command.invocations;
  const isForOne = InstanceIds !== undefined && command.invocations.length === 1 && only?.plugins.length === 1;
  const outputs = {
    CommandId: command.id,
    Status: Status ?? '',
    ...(isForOne
      ? { ResponseCode: String(only.plugins[0]?.summary.ResponseCode), Output: only.plugins[0]?.summary.Output ?? '' }
      : {}),
  };
  putOut(outputs);
  // Only the status counts, not its details: a command to no instance at all is a success (NoInstancesInTag).
  if (Status !== 'Success')
    throw new StepFailure(`Command ${command.id} ended with the status ${Status} (${StatusDetails}).`, {
      CommandId: [command.id],
      Status: [Status ?? ''],
    });
  return { outputs, response: outputs };
}

/** automation-action-lamb: "If both are defined, InputPayload takes precedence"; an error is in FunctionError. */
async function invokeLambdaFunction({
  inputs,
  dispatcher,
  accessKeyId,
  signal,
  putOut,
}: ActionContext): Promise<ActionResult> {
  const { FunctionName, Qualifier, InvocationType, LogType, InputPayload, Payload } = inputs;
  const payload = InputPayload === undefined ? Payload : JSON.stringify(InputPayload);
  const answer = (await untilAborted(
    call(dispatcher, 'lambda', 'Invoke', accessKeyId, {
      FunctionName,
      InvocationType: InvocationType ?? 'RequestResponse',
      ...(Qualifier === undefined ? {} : { Qualifier }),
      ...(LogType === undefined ? {} : { LogType }),
      ...(payload === undefined ? {} : { Payload: Buffer.from(toText(payload)) }),
    }),
    signal,
  )) as {
    readonly StatusCode?: number;
    readonly FunctionError?: string;
    readonly LogResult?: string;
    readonly Payload?: Uint8Array | string;
  };
  const text = answer.Payload === undefined ? '' : Buffer.from(answer.Payload).toString('utf8');
  if (Buffer.byteLength(text) > 200 * 1024)
    throw new StepFailure('The payload that the function returned exceeds 200 KB.');
  const outputs = {
    StatusCode: String(answer.StatusCode ?? 200),
    ...(answer.FunctionError === undefined ? {} : { FunctionError: answer.FunctionError }),
    ...(answer.LogResult === undefined ? {} : { LogResult: answer.LogResult }),
    ...(text === '' ? {} : { Payload: text }),
  };
  putOut(outputs);
  if (answer.FunctionError !== undefined)
    throw new StepFailure(`The function ${FunctionName} returned ${answer.FunctionError}: ${text}`, {
      Payload: [text],
    });
  return { outputs, response: { ...outputs, Payload: parseJson(text) } };
}

async function executeAwsApi(context: ActionContext): Promise<ActionResult> {
  return { outputs: {}, response: await callApi(context) };
}

async function assertAwsResourceProperty(context: ActionContext): Promise<ActionResult> {
  const { found, wanted, isAsWanted } = await property(context);
  if (!isAsWanted)
    throw new StepFailure(`${context.inputs.PropertySelector} is ${found}, not one of ${wanted.join(', ')}.`);
  return { outputs: {} };
}

async function waitForAwsResourceProperty(context: ActionContext): Promise<ActionResult> {
  while (!(await property(context)).isAsWanted) await context.clock.sleep(POLL_MS, context.signal);
  return { outputs: {} };
}

async function branch({ inputs }: ActionContext): Promise<ActionResult> {
  const choices = inputs.Choices as unknown as readonly (Condition & { readonly NextStep: string })[];
  const chosen = choices.find(isTrue)?.NextStep ?? (inputs.Default as string | undefined) ?? null;
  return { outputs: {}, nextStep: chosen };
}

/** automation-action-sleep: "If the specified date and time has passed, the action proceeds immediately." */
async function sleep({ inputs, clock, signal }: ActionContext): Promise<ActionResult> {
  const ms =
    inputs.Duration === undefined
      ? Date.parse(String(inputs.Timestamp)) - clock.now()
      : durationMs(String(inputs.Duration));
  if (Number.isNaN(ms))
    throw new StepFailure(`Not an ISO 8601 duration or time: ${inputs.Duration ?? inputs.Timestamp}`);
  await clock.sleep(Math.max(0, ms), signal);
  return { outputs: {} };
}

async function updateVariable({ inputs, setVariable }: ActionContext): Promise<ActionResult> {
  setVariable(String(inputs.Name), inputs.Value as JsonValue);
  return { outputs: {} };
}

/** ISO 8601, whole weeks to seconds: P1W, P1DT2H, PT10M, PT1.5S. Anything else is NaN. */
function durationMs(text: string): number {
  const match = text.match(/^P(?!$)(?:(\d+)W)?(?:(\d+)D)?(?:T(?!$)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$/);
  if (!match) return Number.NaN;
  const [weeks = 0, days = 0, hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return ((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
}

async function property(context: ActionContext): Promise<{ found: string; wanted: string[]; isAsWanted: boolean }> {
  const { PropertySelector, DesiredValues, ...inputs } = context.inputs;
  const value = select(await callApi({ ...context, inputs }), String(PropertySelector));
  // "If you specify a Boolean value, you must use a capital letter such as True or False."
  const found =
    typeof value === 'boolean' ? (value ? 'True' : 'False') : value === undefined ? 'not there' : toText(value);
  const wanted = toTexts(DesiredValues ?? []);
  return { found, wanted, isAsWanted: wanted.includes(found) };
}

/** The names that the SDK for Python gives services, where they are not the signing name. */
const SIGNING_NAMES: Readonly<Record<string, string>> = { elb: 'elasticloadbalancing' };

async function callApi({ inputs, dispatcher, accessKeyId, signal }: ActionContext): Promise<JsonValue> {
  const { Service, Api, ...input } = inputs;
  const service = String(Service).toLowerCase();
  const answer = await untilAborted(
    call(dispatcher, SIGNING_NAMES[service] ?? service, operationName(String(Api)), accessKeyId, input),
    signal,
  );
  // Dates and byte arrays become what JSON has for them.
  return JSON.parse(JSON.stringify(answer ?? {})) as JsonValue;
}

/** "The API operation or method name": DescribeSubnets or describe_subnets. */
const operationName = (api: string): string =>
  api.includes('_') || /^[a-z]/.test(api)
    ? api.replace(/(^|_)([a-z])/g, (_, _separator, letter: string) => letter.toUpperCase())
    : api;

async function call(
  dispatcher: Dispatcher,
  service: string,
  action: string,
  accessKeyId: string,
  input: unknown,
): Promise<unknown> {
  try {
    return await dispatcher.call(service, action, input, accessKeyId);
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const prefix = typeof code === 'string' ? `An error occurred (${code}) when calling the ${action} operation: ` : '';
    throw new StepFailure(`${prefix}${messageOf(error)}`, {}, { cause: error });
  }
}

function parseJson(text: string): JsonValue {
  try {
    return JSON.parse(text) as JsonObject;
  } catch {
    return text;
  }
}
