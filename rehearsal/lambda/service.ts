/** Lambda: functions that run the built bundles in processes of their own, and the actions to make and invoke them. */
import path from 'node:path';
import { type Service, ServiceError } from '../aws/service.ts';
import { type Security, UNENFORCED } from '../iam/security.ts';
import { ROOT } from '../paths.ts';
import { concurrency } from './actions/concurrency.ts';
import { createFunction } from './actions/create-function.ts';
import { deleteFunction } from './actions/delete-function.ts';
import { eventInvokeConfig } from './actions/event-invoke-config.ts';
import { getFunction } from './actions/get-function.ts';
import { invoke } from './actions/invoke.ts';
import { permission } from './actions/permission.ts';
import { recursionConfig } from './actions/recursion-config.ts';
import { updateFunction } from './actions/update-function.ts';
import type { CallKill } from './call-kill.ts';
import type { GetObject } from './function-input.ts';
import { openFunctionLog } from './function-log.ts';
import { FunctionStore } from './function-store.ts';
import { createInvoker, type InvocationRecord } from './invoker.ts';
import type { LambdaParts } from './parts.ts';

export interface LambdaOptions {
  /** Node.js 24 (`rehearsal/paths.ts`, NODE24). */
  readonly nodeBinary: string;
  /** What AWS_ENDPOINT_URL of the functions says; read when a process starts. */
  readonly endpointUrl: () => string;
  /** Code, logs and temporary files; the run's own, and removed with it. */
  readonly directory: string;
  /** For S3Bucket and S3Key. Default: there is no object. */
  readonly getObject?: GetObject;
  /** Who may do what. Default: everybody everything. */
  readonly security?: Security;
  /** Waits before the first and the second retry of an asynchronous event. Default 60,000 and 120,000, as AWS has it. */
  readonly retryDelaysMs?: readonly number[];
  /** How often an asynchronous event looks again for reserved concurrency. Default 1,000. */
  readonly throttleDelayMs?: number;
  /** Fault: deliver this asynchronous event twice, as Lambda may. Default: never. */
  readonly duplicateEvent?: (event: { functionName: string; requestId: string }) => boolean;
  /** Each line that a function writes, and the log group that it goes to. */
  readonly log?: (line: { readonly logGroup: string; readonly functionName: string; readonly text: string }) => void;
  /** An attempt to run a function has ended. */
  readonly onInvocation?: (record: InvocationRecord) => void;
}

export interface LambdaService extends Service {
  /** Every attempt to run a function, oldest first. */
  readonly invocations: readonly InvocationRecord[];
  /** The newest lines of a function's log, oldest first. */
  logs(functionName: string): readonly string[];
  logFile(functionName: string): string;
  /** Process ids of a function's environments, for faults that end a process from outside. */
  pids(functionName: string): readonly number[];
  /**
   * Fault: the next process that starts for this function is killed around its n-th AWS call. Idle processes are ended, so
   * that the next invocation is the one.
   */
  killAtCall(functionName: string, kill: CallKill): Promise<void>;
  /**
   * Every timer in this function's processes from now on so many times shorter, so that what an SDK waits out takes seconds and not
   * minutes; the clock stays as it is. 1 = as it is.
   */
  divideTimers(functionName: string, by: number): Promise<void>;
  /** Resolves when no asynchronous event is queued, running or waiting for a retry. */
  settled(): Promise<void>;
  /** End every process. @returns when the last is gone */
  close(): Promise<void>;
}

export function createLambdaService(options: LambdaOptions): LambdaService {
  const store = new FunctionStore();
  const security = options.security ?? UNENFORCED;
  const invoker = createInvoker({
    nodeBinary: options.nodeBinary,
    bootstrapFile: path.join(ROOT, 'rehearsal/lambda/bootstrap.ts'),
    shortTimersFile: path.join(ROOT, 'rehearsal/lambda/short-timers.ts'),
    endpointUrl: options.endpointUrl,
    directory: options.directory,
    security,
    retryDelaysMs: options.retryDelaysMs ?? [60_000, 120_000],
    throttleDelayMs: options.throttleDelayMs ?? 1000,
    duplicateEvent: options.duplicateEvent ?? (() => false),
    exists: (lambdaFunction) => store.has(lambdaFunction),
    onInvocation: options.onInvocation ?? (() => {}),
  });
  const logFile = (name: string): string => path.join(options.directory, 'logs', `${name}.log`);
  const parts: LambdaParts = {
    store,
    invoker,
    getObject: options.getObject ?? noObjects,
    security,
    codeDirectory: (name) => path.join(options.directory, 'code', name),
    openLog: (functionName) =>
      openFunctionLog(logFile(functionName), (text) => {
        const logGroup = store.find(functionName)?.configuration.LoggingConfig.LogGroup;
        // A process that outlives its function for a moment has nowhere to write.
        if (logGroup !== undefined) options.log?.({ logGroup, functionName, text });
      }),
  };

  return {
    signingName: 'lambda',
    protocol: 'restJson1',
    actions: {
      ...createFunction(parts),
      ...updateFunction(parts),
      ...getFunction(parts),
      ...deleteFunction(parts),
      ...invoke(parts),
      ...eventInvokeConfig(parts),
      ...permission(parts),
      ...concurrency(parts),
      ...recursionConfig(parts),
    },
    invocations: invoker.records,
    logs: (functionName) => store.get(functionName).log.lines(),
    logFile,
    pids: (functionName) => [...store.get(functionName).environments].map(({ pid }) => pid),
    async killAtCall(functionName, kill) {
      const found = store.get(functionName);
      found.pendingKills.push(kill);
      await invoker.retire(found);
    },
    async divideTimers(functionName, by) {
      const found = store.get(functionName);
      found.timersDividedBy = by;
      await invoker.retire(found);
    },
    settled: invoker.settled,
    close: invoker.close,
  };
}

async function noObjects(): Promise<never> {
  throw new ServiceError('NoSuchBucket', 'The specified bucket does not exist', 404);
}
