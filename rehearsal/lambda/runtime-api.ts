/**
 * The Runtime API of one execution environment, as Lambda serves it inside the environment at AWS_LAMBDA_RUNTIME_API.
 *
 * It only carries: what an invocation means, and when a process is ended, is decided in `execution-environment.ts`.
 * Source: Lambda developer guide, "Using the Lambda runtime API"; version 2018-06-01.
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';

export interface RuntimeInvocation {
  readonly requestId: string;
  readonly functionArn: string;
  readonly payload: Uint8Array;
  readonly deadlineMs: number;
  readonly traceId: string;
}

export interface RuntimeEvents {
  /** The process asks for work: it is initialized, and what it had before is finished. */
  next(): void;
  response(requestId: string, payload: Buffer): void;
  error(requestId: string, payload: Buffer): void;
  initError(payload: Buffer): void;
}

export interface RuntimeApi {
  readonly address: string;
  /** Answer the `next` that waits. */
  deliver(invocation: RuntimeInvocation): void;
  close(): void;
}

const PREFIX = '/2018-06-01/runtime/';

export async function startRuntimeApi(events: RuntimeEvents): Promise<RuntimeApi> {
  let waiting: http.ServerResponse | undefined;

  const server = http.createServer(async (request, response) => {
    // A process that is killed in the middle of a request ends here, and there is nobody to answer.
    const body = await readBody(request).catch(() => undefined);
    if (body === undefined) return;
    const resource = request.url?.startsWith(PREFIX) ? request.url.slice(PREFIX.length) : '';
    const [, requestId = '', verb = ''] = /^invocation\/([^/]+)\/(response|error)$/.exec(resource) ?? [];
    if (request.method === 'GET' && resource === 'invocation/next') {
      waiting = response;
      events.next();
    } else if (request.method === 'POST' && resource === 'init/error') {
      accept(response);
      events.initError(body);
    } else if (request.method === 'POST' && verb === 'response') {
      accept(response);
      events.response(requestId, body);
    } else if (request.method === 'POST' && verb === 'error') {
      accept(response);
      events.error(requestId, body);
    } else {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ errorType: 'NotFound', errorMessage: `no ${request.method} ${request.url}` }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    deliver(invocation) {
      waiting?.writeHead(200, {
        'content-type': 'application/json',
        'lambda-runtime-aws-request-id': invocation.requestId,
        'lambda-runtime-deadline-ms': String(invocation.deadlineMs),
        'lambda-runtime-invoked-function-arn': invocation.functionArn,
        'lambda-runtime-trace-id': invocation.traceId,
      });
      waiting?.end(invocation.payload);
      waiting = undefined;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function accept(response: http.ServerResponse): void {
  response.writeHead(202, { 'content-type': 'application/json' });
  response.end('{"status":"OK"}');
}

async function readBody(request: http.IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
