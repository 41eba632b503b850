/**
 * One execution environment: a process that runs the function, one invocation at a time, until it is ended.
 *
 * Between invocations the process is stopped (SIGSTOP), as Lambda freezes an environment: work that a handler left
 * unawaited does not go on behind its answer. Source: Lambda developer guide, "Understanding the Lambda execution
 * environment lifecycle".
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type RuntimeApi, type RuntimeInvocation, startRuntimeApi } from './runtime-api.ts';

export interface EnvironmentSettings {
  readonly nodeBinary: string;
  readonly bootstrapFile: string;
  readonly codeDirectory: string;
  readonly timeoutSeconds: number;
  /** The whole environment of the process; nothing of the host's is added but the Runtime API's address. */
  readonly variables: Readonly<Record<string, string>>;
  readonly onLogLine: (line: string) => void;
  readonly onEnd: () => void;
}

interface InvocationOutcome {
  readonly payload: Buffer;
  /** The function threw, timed out or went away. */
  readonly failed: boolean;
}

export interface ExecutionEnvironment {
  readonly pid: number;
  /** Ready for an invocation: nothing runs in it, and it has not ended. */
  isIdle(): boolean;
  hasEnded(): boolean;
  invoke(invocation: Omit<RuntimeInvocation, 'deadlineMs'>): Promise<InvocationOutcome>;
  /** Kill the process group. @returns when the process is gone */
  end(): Promise<void>;
}

/** Lambda's limit for the initialization; what it takes longer counts as time of the invocation. */
const INIT_LIMIT_MS = 10_000;

export async function startExecutionEnvironment(settings: EnvironmentSettings): Promise<ExecutionEnvironment> {
  let current: Current | undefined;
  let timer: NodeJS.Timeout | undefined;
  let isWaiting = false;
  let initError: Buffer | undefined;
  let hasEnded = false;
  const startedAt = Date.now();

  const api: RuntimeApi = await startRuntimeApi({
    next() {
      isWaiting = true;
      // Only now is the environment free again, so only now does the caller have its answer: a caller that invokes
      // again at once finds it warm.
      if (current?.outcome !== undefined) settle(current.outcome);
      if (current === undefined) signal('SIGSTOP');
      else deliver(current);
    },
    response: (requestId, payload) => answer(requestId, { payload, failed: false }),
    error: (requestId, payload) => answer(requestId, { payload, failed: true }),
    initError(payload) {
      initError = payload;
    },
  });

  // setpriv: the process dies with the rehearsal, however that ends; also where it is stopped and could not notice.
  const child: ChildProcess = spawn(
    'setpriv',
    ['--pdeathsig', 'KILL', '--', settings.nodeBinary, settings.bootstrapFile],
    {
      cwd: settings.codeDirectory,
      env: { ...settings.variables, AWS_LAMBDA_RUNTIME_API: api.address },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    },
  );
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', settings.onLogLine);
  }
  const ended = new Promise<void>((resolve) => {
    // What the function started itself goes with it.
    child.on('exit', () => signal('SIGKILL'));
    // `close` and not `exit`: the last log lines come before the outcome.
    child.on('close', (code, signalName) => {
      onEnd(code === null ? `signal: ${signalName === 'SIGKILL' ? 'killed' : signalName}` : `exit status ${code}`);
      resolve();
    });
    child.on('error', (error) => {
      settings.onLogLine(`the process did not start: ${error.message}`);
      onEnd('signal: not started');
      resolve();
    });
  });

  function signal(name: NodeJS.Signals): void {
    if (child.pid === undefined || hasEnded) return;
    try {
      process.kill(-child.pid, name);
    } catch {
      // It has just ended by itself; `close` follows.
    }
  }

  function deliver({ invocation }: Current): void {
    isWaiting = false;
    signal('SIGCONT');
    clearTimeout(timer);
    timer = setTimeout(onTimeout, settings.timeoutSeconds * 1000);
    api.deliver({ ...invocation, deadlineMs: Date.now() + settings.timeoutSeconds * 1000 });
  }

  function answer(requestId: string, outcome: InvocationOutcome): void {
    if (current?.invocation.requestId === requestId) current.outcome = outcome;
  }

  function settle(outcome: InvocationOutcome): void {
    clearTimeout(timer);
    const settled = current;
    current = undefined;
    settled?.resolve(settled.outcome ?? outcome);
  }

  function onTimeout(): void {
    if (current === undefined) return;
    const seconds = settings.timeoutSeconds.toFixed(2);
    const { requestId } = current.invocation;
    settings.onLogLine(`${new Date().toISOString()} ${requestId} Task timed out after ${seconds} seconds`);
    settle(failure(requestId, 'Sandbox.Timedout', `Task timed out after ${seconds} seconds`));
    signal('SIGKILL');
  }

  function onEnd(how: string): void {
    hasEnded = true;
    api.close();
    if (current !== undefined) settle(outcomeOfEnd(current.invocation.requestId, how, initError));
    settings.onEnd();
  }

  return {
    pid: child.pid ?? 0,
    isIdle: () => !hasEnded && current === undefined && isWaiting,
    hasEnded: () => hasEnded,
    invoke(invocation) {
      return new Promise((resolve) => {
        current = { invocation, resolve };
        if (hasEnded) settle(outcomeOfEnd(invocation.requestId, 'signal: killed', initError));
        else if (isWaiting) deliver(current);
        else {
          const initLeft = Math.max(0, startedAt + INIT_LIMIT_MS - Date.now());
          timer = setTimeout(onTimeout, initLeft + settings.timeoutSeconds * 1000);
        }
      });
    },
    async end() {
      signal('SIGKILL');
      await ended;
    },
  };
}

interface Current {
  readonly invocation: Omit<RuntimeInvocation, 'deadlineMs'>;
  readonly resolve: (outcome: InvocationOutcome) => void;
  /** What the function answered; the caller has it once the process asks for more or has gone. */
  outcome?: InvocationOutcome;
}

function outcomeOfEnd(requestId: string, how: string, initError: Buffer | undefined): InvocationOutcome {
  if (initError !== undefined) return { payload: initError, failed: true };
  const reason =
    how === 'exit status 0' ? 'Runtime exited without providing a reason' : `Runtime exited with error: ${how}`;
  return failure(requestId, 'Runtime.ExitError', reason);
}

function failure(requestId: string, errorType: string, reason: string): InvocationOutcome {
  const body = { errorType, errorMessage: `RequestId: ${requestId} Error: ${reason}` };
  return { payload: Buffer.from(JSON.stringify(body)), failed: true };
}
