/** A program of a test in a network namespace, driven by lines: JSON comes back, one value in each. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROOT } from '../../../rehearsal/paths.ts';

export class Child {
  readonly #process: ChildProcess;
  readonly messages: unknown[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(namespace: string, script: string, args: readonly string[] = [], env: Record<string, string> = {}) {
    const file = path.join(ROOT, 'test/rehearsal', script);
    this.#process = spawn('ip', ['netns', 'exec', namespace, process.execPath, file, ...args], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    });
    if (this.#process.stdout === null) throw new Error('no output');
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      this.messages.push(JSON.parse(line));
      for (const wake of this.#waiting) wake();
    });
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  async until<T>(find: (messages: readonly unknown[]) => T | undefined, limitMs = 20_000): Promise<T> {
    const limit = Date.now() + limitMs;
    for (;;) {
      const found = find(this.messages);
      if (found !== undefined) return found;
      if (Date.now() > limit) throw new Error(`not within ${limitMs} ms: ${find}`);
      await Promise.race([sleep(100), new Promise<void>((wake) => this.#waiting.add(wake))]);
      this.#waiting.clear();
    }
  }

  stop(): void {
    this.#process.kill('SIGKILL');
  }
}
