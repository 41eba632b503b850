/**
 * What the agent does on one instance with one command: the document's steps in order, each really run on the machine.
 *
 * Source: amazon-ssm-agent, agent/plugins/runscript (the script is the lines joined, written to `_script.sh` in the
 * orchestration directory, mode 0700, and run as `sh -c <path>`, so that a shebang line counts) and
 * agent/framework/runpluginutil (exit, successAndExit, preconditions).
 */

import type { ExecOptions, Instance } from '../../world.ts';
import type { ParameterValues } from '../document-parameters.ts';
import type { CommandStep, ParameterDefinition } from '../document-schema/index.ts';
import { interpolate } from '../interpolation.ts';
import { isObject, type JsonValue, toText } from '../json.ts';

export interface PluginResult {
  readonly details: 'Success' | 'Failed' | 'ExecutionTimedOut' | 'Cancelled';
  readonly responseCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface AgentRun {
  readonly instance: Instance;
  readonly commandId: string;
  readonly definitions: Readonly<Record<string, ParameterDefinition>>;
  readonly parameters: ParameterValues;
  /** As DescribeInstanceInformation reports it. Before 3.3.2746.0 it knows nothing of `interpolationType`. */
  readonly agentVersion: string;
  /** The rehearsal's S3 as machines reach it, without a slash at the end: `http://10.0.0.2`. */
  readonly s3Endpoint: string;
  readonly signal: AbortSignal;
}

const DEFAULT_TIMEOUT_SECONDS = 3600;
/** "Exit code 194 reboots the instance and runs the script again"; the agent gives up after a few times. */
const REBOOT_EXIT_CODE = 194;
const MAX_RUNS = 4;
/** The agent's code for what it had to end itself. */
const STOPPED_EXIT_CODE = 137;
const DEFAULT_WORKING_DIRECTORY = '/usr/bin';

const knowsEnvironmentVariables = (agentVersion: string): boolean => {
  const [major = 0, minor = 0, patch = 0] = agentVersion.split('.').map(Number);
  return major !== 3 ? major > 3 : minor !== 3 ? minor > 3 : patch >= 2746;
};

const skipped = (why: string): PluginResult => ({
  details: 'Success',
  responseCode: 0,
  stdout: `Step execution skipped due to ${why}.`,
  stderr: '',
});

/** Runs the steps; `onStep` is told the result of each as it ends. After a cancellation no step is told of. */
export async function runSteps(
  run: AgentRun,
  steps: readonly CommandStep[],
  onStep: (step: CommandStep, result: PluginResult | 'started') => void,
): Promise<void> {
  let isExiting = false;
  for (const step of steps) {
    if (run.signal.aborted) return;
    if (isExiting && !step.inputs.finallyStep) {
      onStep(step, skipped('an earlier step that ended the document'));
      continue;
    }
    onStep(step, 'started');
    const result = await runStep(run, step);
    const isExitStep =
      result.details === 'Success' ? step.inputs.onSuccess === 'exit' : step.inputs.onFailure !== undefined;
    isExiting ||= isExitStep;
    const isForgiven = result.details === 'Failed' && step.inputs.onFailure === 'successAndExit';
    onStep(step, isForgiven ? { ...result, details: 'Success' } : result);
  }
}

function runStep(run: AgentRun, step: CommandStep): Promise<PluginResult> {
  if (!isPreconditionMet(run, step)) return Promise.resolve(skipped('unsatisfied preconditions'));
  const inputs = interpolate(step.inputs as unknown as JsonValue, lookup(run)) as Record<string, JsonValue>;
  return step.action === 'aws:runShellScript' ? runShellScript(run, step.name, inputs) : downloadContent(run, inputs);
}

/**
 * The values that are spliced into the document's text. A parameter with ENV_VAR is not among them, unless the agent is too
 * old to know what that means.
 */
function lookup(run: AgentRun): (name: string) => JsonValue | undefined {
  const isSpliced = (name: string) =>
    run.definitions[name]?.interpolationType !== 'ENV_VAR' || !knowsEnvironmentVariables(run.agentVersion);
  return (name) => (Object.hasOwn(run.parameters, name) && isSpliced(name) ? run.parameters[name] : undefined);
}

function environment(run: AgentRun): Record<string, string> {
  const variables = Object.entries(run.definitions)
    .filter(
      ([, definition]) => definition.interpolationType === 'ENV_VAR' && knowsEnvironmentVariables(run.agentVersion),
    )
    .map(([name]) => [`SSM_${name}`, toText(run.parameters[name] ?? '')]);
  return { AWS_SSM_INSTANCE_ID: run.instance.instanceId, ...Object.fromEntries(variables) };
}

function isPreconditionMet(run: AgentRun, step: CommandStep): boolean {
  if (!step.precondition) return true;
  const [left, right] = step.precondition.StringEquals.map((side) =>
    side === 'platformType' ? 'Linux' : toText(interpolate(side, (name) => run.parameters[name])),
  );
  return left === right;
}

async function runShellScript(
  run: AgentRun,
  stepName: string,
  inputs: Record<string, JsonValue>,
): Promise<PluginResult> {
  const { machine, instanceId } = run.instance;
  const directory = `/var/lib/amazon/ssm/${instanceId}/document/orchestration/${run.commandId}/${stepName}`;
  const lines = inputs.runCommand as string | string[];
  const script = `${Array.isArray(lines) ? lines.join('\n') : lines}\n`;
  const timeoutSeconds = Number(inputs.timeoutSeconds ?? DEFAULT_TIMEOUT_SECONDS) || DEFAULT_TIMEOUT_SECONDS;
  const path = `${directory}/_script.sh`;

  for (let runs = 1; ; runs += 1) {
    const written = await machine.exec(
      ['sh', '-c', 'mkdir -p "$1" && cat > "$2" && chmod 0700 "$2"', 'sh', directory, path],
      { stdin: script, signal: run.signal },
    );
    if (written.exitCode !== 0 && !run.signal.aborted) {
      if (written.exitCode !== 255 || runs >= MAX_RUNS)
        return failed(written.exitCode, '', `failed to create script file. ${written.stderr}`);
      if (await untilRunning(run, timeoutSeconds)) continue;
      return timedOut('', '');
    }
    const startedAt = Date.now();
    const { exitCode, stdout, stderr } = await machine.exec(['sh', '-c', path], {
      env: environment(run),
      timeoutSeconds,
      signal: run.signal,
      cwd: (inputs.workingDirectory as string | undefined) || DEFAULT_WORKING_DIRECTORY,
    });
    if (run.signal.aborted) return { details: 'Cancelled', responseCode: STOPPED_EXIT_CODE, stdout, stderr };
    if (exitCode !== 0 && Date.now() - startedAt >= timeoutSeconds * 1000) return timedOut(stdout, stderr);
    if (exitCode === 0) return { details: 'Success', responseCode: 0, stdout, stderr };
    // The machine went down under the script: the agent takes up what was in progress when it is started again.
    const isInterrupted = exitCode === 255 && !machine.isRunning();
    if (runs >= MAX_RUNS || !(exitCode === REBOOT_EXIT_CODE || isInterrupted)) return failed(exitCode, stdout, stderr);
    if (!isInterrupted) await machine.reboot();
    else if (!(await untilRunning(run, timeoutSeconds))) return timedOut(stdout, stderr);
  }
}

const failed = (exitCode: number, stdout: string, stderr: string): PluginResult => ({
  details: 'Failed',
  responseCode: exitCode,
  stdout,
  stderr: `${stderr}failed to run commands: exit status ${exitCode}`,
});

const timedOut = (stdout: string, stderr: string): PluginResult => ({
  details: 'ExecutionTimedOut',
  responseCode: STOPPED_EXIT_CODE,
  stdout,
  stderr,
});

/** False for a machine that has not come back by then, as one that was ended; nobody hears from its agent again. */
async function untilRunning(run: AgentRun, seconds: number): Promise<boolean> {
  const limit = Date.now() + seconds * 1000;
  while (!run.instance.machine.isRunning() && !run.signal.aborted) {
    if (Date.now() >= limit) return false;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return true;
}

/** The agent fetches by itself; here curl does on the machine, from the rehearsal's S3 or the address that is given. */
async function downloadContent(run: AgentRun, inputs: Record<string, JsonValue>): Promise<PluginResult> {
  const source = isObject(inputs.sourceInfo) ? inputs.sourceInfo : parseSource(String(inputs.sourceInfo));
  const address = inputs.sourceType === 'S3' ? s3Address(String(source?.path), run.s3Endpoint) : source?.url;
  if (typeof address !== 'string')
    return failed(1, '', `invalid sourceInfo for ${String(inputs.sourceType)}: ${toText(inputs.sourceInfo ?? '')}\n`);
  const file = address.split('?')[0]?.split('/').at(-1) ?? 'content';
  const options: ExecOptions = { signal: run.signal, timeoutSeconds: DEFAULT_TIMEOUT_SECONDS };
  const directory = `/var/lib/amazon/ssm/${run.instance.instanceId}/document/orchestration/${run.commandId}/downloads`;
  // "The agent creates the path if it doesn't exist"; one that is or ends like a directory takes the file's own name.
  const script = [
    'case "$1" in /*) to=$1 ;; *) to=$2/$1 ;; esac',
    'if [ -d "$to" ]; then to="$to/$3"; else case "$to" in */) to="$to$3" ;; esac; fi',
    'mkdir -p "$(dirname "$to")" && curl -fsSL -o "$to" "$4" && echo "Content downloaded to $to"',
  ].join('\n');
  const { exitCode, stdout, stderr } = await run.instance.machine.exec(
    ['sh', '-c', script, 'sh', String(inputs.destinationPath ?? ''), directory, file, address],
    options,
  );
  if (run.signal.aborted) return { details: 'Cancelled', responseCode: STOPPED_EXIT_CODE, stdout, stderr };
  return exitCode === 0 ? { details: 'Success', responseCode: 0, stdout, stderr } : failed(exitCode, stdout, stderr);
}

function parseSource(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** `https://s3.amazonaws.com/bucket/key`, `https://bucket.s3.eu-central-1.amazonaws.com/key` or `s3://bucket/key`. */
function s3Address(path: string, endpoint: string): string | undefined {
  const virtual = path.match(/^https:\/\/([^/.]+)\.s3[.-][^/]*amazonaws\.com\/(.+)$/);
  const plain = path.match(/^(?:https:\/\/s3[^/]*amazonaws\.com\/|s3:\/\/)([^/]+)\/(.+)$/);
  const [, bucket, key] = virtual ?? plain ?? [];
  return bucket === undefined || key === undefined ? undefined : `${endpoint}/${bucket}/${key}`;
}
