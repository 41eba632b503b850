/**
 * The runtime inside a function's process: loads the handler, asks for invocations, answers them.
 *
 * It runs as it is (Node.js 24 strips types) in a process that has Lambda's environment and nothing else. It knows
 * Lambda's Runtime API and nothing of the rehearsal. Source: Lambda developer guide, "Using the Lambda runtime API"
 * (2018-06-01); how the handler is found and called: aws-lambda-nodejs-runtime-interface-client, version 4.
 */
import { existsSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { format } from 'node:util';

type Handler = (event: unknown, context: unknown) => unknown;

interface Answer {
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

const runtimeApi = process.env.AWS_LAMBDA_RUNTIME_API ?? '';
let requestId = '';

/** node:http and not fetch: fetch gives up after 300 s without an answer, and `next` waits for as long as it takes. */
function call(method: 'GET' | 'POST', resource: string, body = '', headers: http.OutgoingHttpHeaders = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const length = Buffer.byteLength(body);
    const request = http.request(
      `http://${runtimeApi}/2018-06-01/runtime/${resource}`,
      { method, headers: { ...headers, ...(method === 'POST' && { 'content-length': length }) } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks).toString() }));
        response.on('error', reject);
      },
    );
    request.on('error', reject);
    request.end(body);
  });
}

function errorBody(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (error instanceof Error) {
    return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
  }
  return { errorType: typeof error, errorMessage: String(error), trace: [] };
}

function named(name: string, message: string): Error {
  const error = new Error(message);
  error.name = name;
  return error;
}

/** Lines as the managed runtime writes them: time, request id, level, text, separated by tabs. */
function patchConsole(): void {
  const levels = { log: 'INFO', info: 'INFO', debug: 'DEBUG', trace: 'TRACE', warn: 'WARN', error: 'ERROR' } as const;
  for (const [method, level] of Object.entries(levels)) {
    console[method as keyof typeof levels] = (...values: unknown[]) => {
      process.stdout.write(
        `${new Date().toISOString()}\t${requestId || 'undefined'}\t${level}\t${format(...values)}\n`,
      );
    };
  }
}

/** `index.handler`, `lib/index.handler`: a file of the package, then the name of what it exports. */
async function loadHandler(taskRoot: string, setting: string): Promise<Handler> {
  const match = /^(.*\/)?([^/.]+)\.(.+)$/.exec(setting);
  if (match === null || setting.includes('..')) throw named('Runtime.MalformedHandlerName', `Bad handler ${setting}`);
  const [, directory = '', file = '', exported = ''] = match;
  const stem = path.join(taskRoot, directory, file);
  const found = ['', '.js', '.mjs', '.cjs'].map((extension) => stem + extension).find((name) => existsSync(name));
  if (found === undefined) throw named('Runtime.ImportModuleError', `Error: Cannot find module '${file}'`);
  let module: Record<string, unknown>;
  try {
    module = found.endsWith('.mjs') ? await import(pathToFileURL(found).href) : createRequire(found)(found);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', `SyntaxError: ${error.message}`);
    throw error;
  }
  const handler = exported
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown>)?.[key], module);
  if (handler === undefined) {
    throw named('Runtime.HandlerNotFound', `${setting} is undefined or not exported`);
  }
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${setting} is not a function`);
  if (handler.length >= 3) {
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      'AWS Lambda has removed support for callback-based function handlers starting with Node.js 24.',
    );
  }
  return handler as Handler;
}

function createContext(headers: http.IncomingHttpHeaders) {
  const deadlineMs = Number(headers['lambda-runtime-deadline-ms']);
  return {
    callbackWaitsForEmptyEventLoop: true,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    invokedFunctionArn: headers['lambda-runtime-invoked-function-arn'],
    awsRequestId: headers['lambda-runtime-aws-request-id'],
    getRemainingTimeInMillis: () => deadlineMs - Date.now(),
  };
}

async function postError(error: unknown): Promise<void> {
  const body = errorBody(error);
  console.error('Invoke Error', error);
  await call('POST', `invocation/${requestId}/error`, JSON.stringify(body), {
    'lambda-runtime-function-error-type': body.errorType,
  });
}

async function serve(handler: Handler): Promise<never> {
  for (;;) {
    const { headers, body } = await call('GET', 'invocation/next');
    requestId = String(headers['lambda-runtime-aws-request-id']);
    process.env._X_AMZN_TRACE_ID = String(headers['lambda-runtime-trace-id']);
    let result: string;
    try {
      const value = await handler(JSON.parse(body), createContext(headers));
      result = JSON.stringify(value === undefined ? null : value);
    } catch (error) {
      await postError(error);
      continue;
    }
    await call('POST', `invocation/${requestId}/response`, result);
  }
}

patchConsole();
process.on('uncaughtException', (error) => {
  console.error('Uncaught Exception', error);
  postError(error).finally(() => process.exit(129));
});
process.on('unhandledRejection', (reason) => {
  const error = named('Runtime.UnhandledPromiseRejection', reason instanceof Error ? reason.message : String(reason));
  console.error('Unhandled Promise Rejection', error);
  postError(error).finally(() => process.exit(128));
});

try {
  const handler = await loadHandler(process.env.LAMBDA_TASK_ROOT ?? '', process.env._HANDLER ?? '');
  await serve(handler);
} catch (error) {
  const body = errorBody(error);
  console.error('Uncaught Exception', body);
  await call('POST', 'init/error', JSON.stringify(body), {
    'lambda-runtime-function-error-type': body.errorType,
  }).catch(() => undefined);
  process.exit(1);
}
