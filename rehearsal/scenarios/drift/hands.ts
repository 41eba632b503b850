/** What a person does to an account and its machines: commands of the AWS CLI in a shell, and a shell on an instance. */
import { spawn } from 'node:child_process';
import { GetCommandInvocationCommand, SendCommandCommand } from '@aws-sdk/client-ssm';
import { CREDENTIALS, type Environment } from '../../environment.ts';
import { type Instance, REGION } from '../../world.ts';
import { failureOf, waitForExecution } from '../runbook.ts';
import { STACK } from '../stack.ts';

/** Debian 12's AWS CLI does not read AWS_ENDPOINT_URL. */
const PROLOGUE = 'set -e; aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }\n';
const COMMAND_LIMIT_MS = 120_000;

export class Hands {
  readonly #environment: Environment;
  readonly #interrupted: AbortSignal;

  constructor(environment: Environment, interrupted: AbortSignal) {
    this.#environment = environment;
    this.#interrupted = interrupted;
  }

  /** @returns standard output @throws Error  with what the shell said */
  async shell(command: string): Promise<string> {
    const env = {
      // Debian's before any other that a person may have.
      PATH: `/usr/bin:/bin:${process.env.PATH}`,
      HOME: this.#environment.directory.path,
      AWS_ENDPOINT_URL: this.#environment.endpoint.url,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
      AWS_DEFAULT_REGION: REGION,
      AWS_PAGER: '',
    };
    const child = spawn('bash', ['-c', PROLOGUE + command], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const said = { out: '', error: '' };
    child.stdout.on('data', (chunk) => (said.out += chunk));
    child.stderr.on('data', (chunk) => (said.error += chunk));
    const status = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve);
    });
    if (status !== 0) throw new Error(`${command}: status ${status}: ${said.error.trim()}`);
    return said.out;
  }

  /** A command as the check prints it, and the end of what it has started. @throws Error  it did not succeed */
  async mend(command: string): Promise<void> {
    const said = await this.shell(command);
    for (const [, id = ''] of said.matchAll(/"AutomationExecutionId": "([^"]+)"/g)) {
      const execution = await waitForExecution(this.#environment, id, this.#interrupted);
      if (execution.AutomationExecutionStatus === 'Success') continue;
      throw new Error(`${command}: ended in ${execution.AutomationExecutionStatus}: ${failureOf(execution)}`);
    }
    const [, commandId] = /"CommandId": "([^"]+)"/.exec(said) ?? [];
    const [, instanceId = ''] = /--instance-ids (\S+)/.exec(command) ?? [];
    if (commandId !== undefined) await this.#awaitCommand(commandId, instanceId);
  }

  /** As root on the machine. @throws Error  with what the shell said */
  async on({ machine }: Instance, script: string): Promise<string> {
    const { exitCode, stdout, stderr } = await machine.exec(['bash', '-c', script]);
    if (exitCode !== 0) throw new Error(`machine ${machine.name}: ${script}: status ${exitCode}: ${stderr}`);
    return stdout;
  }

  /** The product's Command document on one instance, past the runbook. */
  async receiver({ instanceId }: Instance, parameters: Readonly<Record<string, string>>): Promise<void> {
    const { Command } = await this.#environment.clients.ssm.send(
      new SendCommandCommand({
        DocumentName: `${STACK}-receiver`,
        InstanceIds: [instanceId],
        Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
      }),
    );
    await this.#awaitCommand(Command?.CommandId ?? '', instanceId);
  }

  async #awaitCommand(CommandId: string, InstanceId: string): Promise<void> {
    const { ssm } = this.#environment.clients;
    const limit = Date.now() + COMMAND_LIMIT_MS;
    for (;;) {
      this.#interrupted.throwIfAborted();
      await new Promise((resolve) => setTimeout(resolve, 500));
      const invocation = await ssm.send(new GetCommandInvocationCommand({ CommandId, InstanceId }));
      if (invocation.Status === 'Success') return;
      const isOver = !['Pending', 'InProgress', 'Delayed'].includes(invocation.Status ?? '');
      if (isOver || Date.now() > limit) {
        throw new Error(
          `command ${CommandId} on ${InstanceId}: ${invocation.StatusDetails}: ${invocation.StandardErrorContent}`,
        );
      }
    }
  }
}
