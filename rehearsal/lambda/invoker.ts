/**
 * Runs invocations: finds or starts an environment, repeats asynchronous events that failed, keeps the records.
 *
 * Source: Lambda developer guide, "Understanding Lambda function scaling" (one invocation per environment at a time) and
 * "How Lambda handles errors and retries with asynchronous invocation" (two retries; the same event may come twice).
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ServiceError } from '../aws/service.ts';
import { sessionKey } from '../iam/caller.ts';
import { roleNameOf, type Security } from '../iam/security.ts';
import { ACCOUNT_ID, REGION } from '../world.ts';
import { startKillingProxy } from './call-kill.ts';
import { type ExecutionEnvironment, startExecutionEnvironment } from './execution-environment.ts';
import type { LambdaFunction } from './function-store.ts';

export interface InvocationRecord {
  readonly functionName: string;
  readonly requestId: string;
  readonly type: 'RequestResponse' | 'Event';
  /** 1 = the first; an asynchronous event that failed comes again with the same request id. */
  readonly attempt: number;
  readonly startedAt: number;
  durationMs: number | undefined;
  failed: boolean | undefined;
}

interface InvocationReport {
  readonly payload: Buffer;
  readonly failed: boolean;
  /** At most the last 4 KB of what the invocation logged. */
  readonly logTail: string;
}

export interface InvokerOptions {
  readonly nodeBinary: string;
  readonly bootstrapFile: string;
  readonly shortTimersFile: string;
  readonly endpointUrl: () => string;
  readonly directory: string;
  readonly security: Security;
  readonly retryDelaysMs: readonly number[];
  readonly throttleDelayMs: number;
  readonly duplicateEvent: (event: { functionName: string; requestId: string }) => boolean;
  /** Is the function still there? An event for a deleted one is dropped. */
  readonly exists: (lambdaFunction: LambdaFunction) => boolean;
  /** An attempt has ended: its record is complete. */
  readonly onInvocation: (record: InvocationRecord) => void;
}

export interface Invoker {
  readonly records: readonly InvocationRecord[];
  invoke(lambdaFunction: LambdaFunction, payload: Uint8Array, requestId: string): Promise<InvocationReport>;
  /** Accept an event; what becomes of it shows in the records. */
  enqueue(lambdaFunction: LambdaFunction, payload: Uint8Array, requestId: string): void;
  /** End the environments that are idle now, and those that are busy when they are done: they run the old code. */
  retire(lambdaFunction: LambdaFunction): Promise<void>;
  /** Resolves when no event is queued, running or waiting for a retry. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

/** An environment and what the invoker keeps about it. */
interface Slot {
  readonly environment: ExecutionEnvironment;
  readonly mayLog: boolean;
  lines: string[];
}

const DEFAULT_RETRIES = 2;
const MAXIMUM_EVENT_AGE_SECONDS = 21_600;

export function createInvoker(options: InvokerOptions): Invoker {
  const records: InvocationRecord[] = [];
  const slots = new Map<ExecutionEnvironment, Slot>();
  const events = new Set<Promise<void>>();
  const closing = new AbortController();

  async function startSlot(lambdaFunction: LambdaFunction): Promise<Slot> {
    const kill = lambdaFunction.pendingKills.shift();
    const proxy = kill && (await startKillingProxy(options.endpointUrl(), kill, () => void slot?.environment.end()));
    const id = randomBytes(16).toString('hex');
    const temporary = path.join(options.directory, 'tmp', id);
    await mkdir(temporary, { recursive: true });
    let slot: Slot | undefined;
    const variables = {
      ...environmentVariables(lambdaFunction, id, temporary, proxy?.url ?? options.endpointUrl()),
      ...shortTimers(lambdaFunction, options.shortTimersFile),
    };
    const mayLog = mayWriteLog(variables, options.security);
    const environment = await startExecutionEnvironment({
      nodeBinary: options.nodeBinary,
      bootstrapFile: options.bootstrapFile,
      codeDirectory: lambdaFunction.codeDirectory,
      timeoutSeconds: lambdaFunction.configuration.Timeout,
      variables,
      onLogLine(line) {
        slot?.lines.push(line);
        if (mayLog) lambdaFunction.log.append(line);
      },
      onEnd() {
        proxy?.close();
        if (slot === undefined) return;
        lambdaFunction.environments.delete(slot.environment);
        slots.delete(slot.environment);
      },
    });
    slot = { environment, mayLog, lines: [] };
    if (environment.hasEnded()) return slot;
    slots.set(environment, slot);
    lambdaFunction.environments.add(environment);
    // The rehearsal was ended while the process started.
    if (closing.signal.aborted) await environment.end();
    return slot;
  }

  async function run(
    lambdaFunction: LambdaFunction,
    payload: Uint8Array,
    record: InvocationRecord,
  ): Promise<InvocationReport> {
    const { FunctionArn, MemorySize } = lambdaFunction.configuration;
    const idle = [...lambdaFunction.environments].find((environment) => environment.isIdle());
    const slot = (idle && slots.get(idle)) ?? (await startSlot(lambdaFunction));
    const write = (line: string): void => {
      slot.lines.push(line);
      if (slot.mayLog) lambdaFunction.log.append(line);
    };
    if (idle !== undefined) slot.lines = [];
    write(`START RequestId: ${record.requestId} Version: $LATEST`);
    const startedAt = performance.now();
    const traceId = `Root=1-${Math.floor(Date.now() / 1000).toString(16)}-${randomBytes(12).toString('hex')};Parent=${randomBytes(8).toString('hex')};Sampled=0`;
    const outcome = await slot.environment.invoke({
      requestId: record.requestId,
      functionArn: FunctionArn,
      payload,
      traceId,
    });
    const durationMs = performance.now() - startedAt;
    write(`END RequestId: ${record.requestId}`);
    write(
      `REPORT RequestId: ${record.requestId}\tDuration: ${durationMs.toFixed(2)} ms\tMemory Size: ${MemorySize} MB`,
    );
    record.durationMs = durationMs;
    record.failed = outcome.failed;
    options.onInvocation(record);
    return { ...outcome, logTail: tail(slot.lines) };
  }

  function createRecord(
    lambdaFunction: LambdaFunction,
    requestId: string,
    type: InvocationRecord['type'],
    attempt: number,
  ): InvocationRecord {
    const record: InvocationRecord = {
      functionName: lambdaFunction.configuration.FunctionName,
      requestId,
      type,
      attempt,
      startedAt: Date.now(),
      durationMs: undefined,
      failed: undefined,
    };
    records.push(record);
    return record;
  }

  function isThrottled(lambdaFunction: LambdaFunction): boolean {
    const busy = [...lambdaFunction.environments].filter((environment) => !environment.isIdle()).length;
    return lambdaFunction.reservedConcurrency !== undefined && busy >= lambdaFunction.reservedConcurrency;
  }

  async function deliver(lambdaFunction: LambdaFunction, payload: Uint8Array, requestId: string): Promise<void> {
    const { signal } = closing;
    const acceptedAt = Date.now();
    const config = lambdaFunction.eventInvokeConfig;
    const maximumAgeMs = (config?.MaximumEventAgeInSeconds ?? MAXIMUM_EVENT_AGE_SECONDS) * 1000;
    for (let attempt = 1; ; attempt += 1) {
      while (isThrottled(lambdaFunction)) await sleep(options.throttleDelayMs, undefined, { signal });
      if (!options.exists(lambdaFunction) || Date.now() - acceptedAt > maximumAgeMs) return;
      const record = createRecord(lambdaFunction, requestId, 'Event', attempt);
      const report = await run(lambdaFunction, payload, record);
      // Read again: the setting that counts is the one when the attempt failed.
      const retries = lambdaFunction.eventInvokeConfig?.MaximumRetryAttempts ?? DEFAULT_RETRIES;
      if (!report.failed || attempt > retries || signal.aborted) return;
      await sleep(options.retryDelaysMs[attempt - 1] ?? options.retryDelaysMs.at(-1) ?? 0, undefined, { signal });
    }
  }

  function track(event: Promise<void>): void {
    const tracked = event
      .catch((error) => {
        if (!closing.signal.aborted) throw error;
      })
      .finally(() => events.delete(tracked));
    events.add(tracked);
  }

  return {
    records,
    invoke(lambdaFunction, payload, requestId) {
      if (isThrottled(lambdaFunction)) {
        throw new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, {
          Type: 'User',
          Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
        });
      }
      return run(lambdaFunction, payload, createRecord(lambdaFunction, requestId, 'RequestResponse', 1));
    },
    enqueue(lambdaFunction, payload, requestId) {
      const { FunctionName: functionName } = lambdaFunction.configuration;
      const copies = options.duplicateEvent({ functionName, requestId }) ? 2 : 1;
      for (let copy = 0; copy < copies; copy += 1) track(deliver(lambdaFunction, payload, requestId));
    },
    async retire(lambdaFunction) {
      const environments = [...lambdaFunction.environments];
      // Out of the pool at once, so that no new invocation finds the old code.
      lambdaFunction.environments.clear();
      await Promise.all(environments.filter((each) => each.isIdle()).map((each) => each.end()));
      for (const busy of environments.filter((each) => !each.hasEnded())) void endWhenIdle(busy);
    },
    async settled() {
      while (events.size > 0) await Promise.all(events);
    },
    async close() {
      closing.abort();
      await Promise.all([...slots.keys()].map((environment) => environment.end()));
      await Promise.all(events);
      // Those whose start was under way when this began.
      await Promise.all([...slots.keys()].map((environment) => environment.end()));
    },
  };

  async function endWhenIdle(environment: ExecutionEnvironment): Promise<void> {
    while (!environment.isIdle() && !environment.hasEnded()) await sleep(50);
    await environment.end();
  }
}

/** Source: Lambda developer guide, "Defined runtime environment variables". */
function environmentVariables(
  { configuration, codeDirectory }: LambdaFunction,
  environmentId: string,
  temporary: string,
  endpointUrl: string,
): Record<string, string> {
  const date = new Date().toISOString().slice(0, 10).replaceAll('-', '/');
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    // Lambda has a /tmp of its own for each environment.
    TMPDIR: temporary,
    AWS_ENDPOINT_URL: endpointUrl,
    ...configuration.Environment?.Variables,
    _HANDLER: configuration.Handler,
    LAMBDA_TASK_ROOT: codeDirectory,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EXECUTION_ENV: `AWS_Lambda_${configuration.Runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: configuration.FunctionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(configuration.MemorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: configuration.LoggingConfig.LogGroup,
    AWS_LAMBDA_LOG_STREAM_NAME: `${date}/[$LATEST]${environmentId}`,
    AWS_ACCESS_KEY_ID: sessionKey(roleNameOf(configuration.Role), configuration.FunctionName),
    AWS_SECRET_ACCESS_KEY: 'rehearsal',
    AWS_SESSION_TOKEN: environmentId,
  };
}

function shortTimers({ timersDividedBy }: LambdaFunction, file: string): Record<string, string> {
  return timersDividedBy === 1 ? {} : { NODE_OPTIONS: `--import=${file}`, TIMERS_DIVIDED_BY: String(timersDividedBy) };
}

/**
 * A function's log is written with the function's own role: without these two permissions it stays empty, and nothing says so.
 * Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs".
 */
function mayWriteLog(variables: Readonly<Record<string, string>>, security: Security): boolean {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_LAMBDA_LOG_GROUP_NAME: group } = variables;
  const stream = variables.AWS_LAMBDA_LOG_STREAM_NAME;
  const resource = `arn:aws:logs:${REGION}:${ACCOUNT_ID}:log-group:${group}:log-stream:${stream}`;
  return ['logs:CreateLogStream', 'logs:PutLogEvents'].every(
    (action) => security.refusal(accessKeyId, { action, resource }) === undefined,
  );
}

export function newRequestId(): string {
  return randomUUID();
}

function tail(lines: readonly string[]): string {
  const bytes = Buffer.from(`${lines.join('\n')}\n`);
  return bytes.subarray(Math.max(0, bytes.length - 4096)).toString('utf8');
}
