import { spawn } from 'node:child_process';

/** A command on the host that did not succeed: what was run, how it ended, and the end of what it said. */
export class CommandFailedError extends Error {
  override readonly name = 'CommandFailedError';
  readonly code = 'ERR_COMMAND_FAILED';
  readonly exitCode: number | null;

  constructor(command: readonly string[], exitCode: number | null, output: string) {
    super(
      `${command.join(' ')} ended with ${exitCode ?? 'a signal'}: ${output.trim().split('\n').slice(-6).join('\n')}`,
    );
    this.exitCode = exitCode;
  }
}

/**
 * Run a command on the host to its end and return its standard output.
 *
 * @throws CommandFailedError  it ended with another status than 0
 */
export function runCommand(command: readonly string[], input = ''): Promise<string> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.on('error', reject);
    child.on('close', (exitCode) => {
      const stdout = Buffer.concat(out).toString();
      if (exitCode === 0) resolve(stdout);
      else reject(new CommandFailedError(command, exitCode, stdout + Buffer.concat(err).toString()));
    });
    // A command that ends without reading its input closes the pipe: its exit status says what happened, not EPIPE.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}
