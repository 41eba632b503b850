/** The rehearsal's side of the traffic: starts the clients' process and tells it what happens meanwhile. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { RECEIVER_MODES, type ReceiverMode } from './client-address.ts';
import type { TrafficResult, TrafficSnapshot } from './counts.ts';
import type { Entry } from './entries.ts';
import type { ToParent, ToWorker } from './messages.ts';
import type { TrafficPlan } from './plan.ts';

/** The clients' process ended before it had reported its result. */
class TrafficWorkerEndedError extends Error {
  override readonly name = 'TrafficWorkerEndedError';
  readonly code = 'ERR_TRAFFIC_WORKER_ENDED';
}

export interface TrafficOptions {
  /** What runs the worker, for example `['ip', 'netns', 'exec', name, process.execPath, 'dist/rehearsal/traffic.mjs']`. */
  readonly command: readonly string[];
  readonly plan: TrafficPlan;
  /** Once a second. */
  readonly onSnapshot?: (snapshot: TrafficSnapshot) => void;
  /** Longest wait for the WebSockets to open and for the process to answer. Unit: milliseconds. */
  readonly answerTimeoutMs?: number;
}

export interface Traffic {
  /** Resolves when every WebSocket is open or has failed to open. @throws TrafficWorkerEndedError */
  readonly ready: Promise<void>;
  /**
   * From now on it is this phase; resolves when the clients know. Call it *before* the first receiver may leave the modes
   * of the phase before, and *after* the last one has: so a phase of its own for each transition is the strictest way.
   *
   * @param modes  which modes some receiver may be in; without them that of the name, and for any other name all three
   */
  phase(name: string, modes?: readonly ReceiverMode[]): Promise<void>;
  /** What the load balancer's name resolves to from now on. */
  targets(addresses: readonly string[]): Promise<void>;
  /** The same where there are several load balancers. */
  entries(entries: readonly Entry[]): Promise<void>;
  /** Each client that keeps a connection comes back once, as when a page is loaded again, some time within this; to where the name leads then. */
  reconnect(withinMs: number): Promise<void>;
  latest(): TrafficSnapshot | undefined;
  /** End gracefully: requests in flight are waited for, and echoes that are due. Any further call gives the same result. */
  stop(): Promise<TrafficResult>;
  /** The result, whoever ended the run. @throws TrafficWorkerEndedError */
  readonly result: Promise<TrafficResult>;
  /** End at once, without a result; nothing to do when it has ended. */
  [Symbol.asyncDispose](): Promise<void>;
}

function modesOfPhase(name: string): readonly ReceiverMode[] {
  const named = RECEIVER_MODES.filter((mode) => mode === name);
  return named.length > 0 ? named : RECEIVER_MODES;
}

/** @throws TrafficWorkerEndedError  by `ready`, `result` and every call that is under way: with what the process said last */
export function startTraffic(options: TrafficOptions): Traffic {
  return new WorkerTraffic(options);
}

class WorkerTraffic implements Traffic {
  readonly ready: Promise<void>;
  readonly result: Promise<TrafficResult>;
  private readonly child: ChildProcess;
  private readonly exited: Promise<void>;
  private readonly answerTimeoutMs: number;
  private readonly pending = new Map<number, Settle<void>>();
  private snapshot: TrafficSnapshot | undefined;
  private nextNumber = 1;

  constructor({ command, plan, onSnapshot, answerTimeoutMs = 30_000 }: TrafficOptions) {
    this.answerTimeoutMs = answerTimeoutMs;
    const [file = '', ...args] = command;
    const ready = settleable<void>();
    const result = settleable<TrafficResult>();
    this.ready = ready.promise;
    this.result = result.promise;
    this.child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });

    let complaints = '';
    this.child.stderr?.on('data', (chunk) => {
      complaints = (complaints + String(chunk)).slice(-4000);
    });
    // A worker that is gone is reported by its end, not by the pipe that it leaves.
    this.child.stdin?.on('error', () => {});

    const onMessage = (message: ToParent): void => {
      switch (message.type) {
        case 'ready':
          ready.resolve();
          break;
        case 'done':
          this.pending.get(message.number)?.resolve();
          this.pending.delete(message.number);
          break;
        case 'snapshot':
          this.snapshot = message.snapshot;
          onSnapshot?.(message.snapshot);
          break;
        case 'result':
          result.resolve(message.result);
          break;
      }
    };
    if (this.child.stdout) {
      createInterface({ input: this.child.stdout }).on('line', (line) => onMessage(JSON.parse(line) as ToParent));
    }
    this.exited = new Promise((resolve) => {
      const end = (how: string): void => {
        const error = new TrafficWorkerEndedError(
          `the traffic's process (${command.join(' ')}) ended ${how} before its result: ${complaints.trim() || 'it said nothing'}`,
        );
        for (const each of [ready, result, ...this.pending.values()]) each.reject(error);
        this.pending.clear();
        resolve();
      };
      this.child.on('error', (error) => end(`with "${error.message}"`));
      this.child.on('close', (status, signal) => end(`with ${signal ?? `status ${status}`}`));
    });
    this.send({ type: 'plan', plan });
  }

  phase(name: string, modes: readonly ReceiverMode[] = modesOfPhase(name)): Promise<void> {
    return this.ask((number) => ({ type: 'phase', number, phase: { name, modes } }));
  }

  targets(addresses: readonly string[]): Promise<void> {
    return this.entries([{ kind: 'classic', addresses, weight: 1 }]);
  }

  entries(entries: readonly Entry[]): Promise<void> {
    return this.ask((number) => ({ type: 'entries', number, entries }));
  }

  reconnect(withinMs: number): Promise<void> {
    return this.ask((number) => ({ type: 'reconnect', number, withinMs }));
  }

  latest(): TrafficSnapshot | undefined {
    return this.snapshot;
  }

  stop(): Promise<TrafficResult> {
    this.send({ type: 'stop' });
    return this.result;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
    await this.exited;
  }

  private ask(message: (number: number) => ToWorker): Promise<void> {
    const number = this.nextNumber;
    this.nextNumber += 1;
    const answer = settleable<void>();
    this.pending.set(number, answer);
    const timer = setTimeout(
      () =>
        answer.reject(
          new TrafficWorkerEndedError(`the traffic's process did not answer in ${this.answerTimeoutMs} ms`),
        ),
      this.answerTimeoutMs,
    );
    this.send(message(number));
    return answer.promise.finally(() => clearTimeout(timer));
  }

  private send(message: ToWorker): void {
    if (this.child.stdin?.writable) this.child.stdin.write(`${JSON.stringify(message)}\n`);
  }
}

interface Settle<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

function settleable<T>(): Settle<T> & { promise: Promise<T> } {
  let settle: Settle<T> | undefined;
  const promise = new Promise<T>((resolve, reject) => {
    settle = { resolve, reject };
  });
  // Nobody may be waiting when the process dies; whoever asks later is told all the same.
  promise.catch(() => {});
  return Object.assign(settle as unknown as Settle<T>, { promise });
}
