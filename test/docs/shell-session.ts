/** One bash for many blocks of commands, as a person has one terminal: what a block sets, the next one knows. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface BlockResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export class ShellSession implements AsyncDisposable {
  readonly #shell: ChildProcess;
  #stdout = '';
  #stderr = '';
  #blocks = 0;

  /** @param within  a command that runs the one that is appended to it, such as `ip netns exec NAME`; empty: here */
  constructor(cwd: string, env: NodeJS.ProcessEnv, within: readonly string[] = []) {
    const [file = '', ...args] = [...within, 'bash', '--noprofile', '--norc'];
    this.#shell = spawn(file, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#shell.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#stdout += text;
    });
    this.#shell.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
  }

  /** The exit status is that of the block's last command, as in a terminal. */
  async run(commands: string, limitMs: number): Promise<BlockResult> {
    this.#blocks += 1;
    this.#stdout = '';
    this.#stderr = '';
    const mark = `end-of-block-${this.#blocks}`;
    // On a line of its own also where the last command's output has no line's end.
    this.#shell.stdin?.write(`{ :\n${commands}\n} </dev/null\nprintf '\\n%s %s\\n' ${mark} $?\n`);
    const limit = Date.now() + limitMs;
    for (;;) {
      const [, exitCode] = new RegExp(`^${mark} (\\d+)$`, 'm').exec(this.#stdout) ?? [];
      if (exitCode !== undefined) {
        const stdout = this.#stdout.slice(0, this.#stdout.indexOf(`\n${mark}`));
        return { exitCode: Number(exitCode), stdout, stderr: this.#stderr };
      }
      if (this.#shell.exitCode !== null || Date.now() > limit) {
        const why = this.#shell.exitCode === null ? `not over after ${limitMs / 1000} s` : 'the shell ended';
        throw new Error(`${why}:\n${commands}\n${this.#stdout}\n${this.#stderr}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#shell.exitCode !== null) return;
    this.#shell.kill('SIGKILL');
    await once(this.#shell, 'exit');
  }
}
