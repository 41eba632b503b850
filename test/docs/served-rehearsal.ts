/** `npm run rehearse -- serve` as a child process: what it prints to export, and its end by Ctrl-C. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { ROOT } from './markdown.ts';

const BOOT_LIMIT_MS = 120_000;

export class ServedRehearsal implements AsyncDisposable {
  readonly #child: ChildProcess;
  /** What it printed to be pasted into a terminal: the exports, and the function for an AWS CLI that does not read them. */
  readonly settings: string;
  /** All that it said until it was ready. */
  readonly said: string;

  private constructor(child: ChildProcess, said: string) {
    this.#child = child;
    this.said = said;
    this.settings = said
      .split('\n')
      .filter((line) => /^(export |aws\(\))/.test(line))
      .join('\n');
  }

  static async start(args: readonly string[]): Promise<ServedRehearsal> {
    const child = spawn(process.execPath, ['dist/rehearsal/cli.mjs', 'serve', ...args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
    }
    const limit = Date.now() + BOOT_LIMIT_MS;
    while (!said.includes('Serving until Ctrl-C')) {
      if (child.exitCode !== null || Date.now() > limit) {
        child.kill('SIGINT');
        throw new Error(`serve did not begin to serve:\n${said}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return new ServedRehearsal(child, said);
  }

  /** As Ctrl-C does. @returns its exit status */
  async interrupt(): Promise<number | null> {
    if (this.#child.exitCode !== null) return this.#child.exitCode;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGINT');
    await ended;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.interrupt();
  }
}
