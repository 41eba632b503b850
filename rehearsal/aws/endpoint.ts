/**
 * One HTTP address for every emulated service, as `AWS_ENDPOINT_URL` wants it.
 *
 * The service is chosen by the signing name in the SigV4 credential scope: `Credential=AKID/20261121/eu-central-1/ssm/…`, and where two
 * APIs share that (Elastic Load Balancing), by the version in the form.
 * Signatures are not verified, since nothing is protected by them here: any secret does, the access key id names the caller.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Certificate } from '../nodes/certificate.ts';
import { REGION } from '../world.ts';
import { credentialScope } from './credential-scope.ts';
import { ActionDispatcher, type Caller, ConnectionReset, type ServedService } from './dispatcher.ts';
import type { Interceptor } from './faults.ts';
import { standInPlaceOfAws } from './in-place-of-aws.ts';
import { type Dispatcher, type RawService, type Service, ServiceError, type WireProtocol } from './service.ts';
import { readCbor, writeCbor, writeCborError } from './wire/cbor.ts';
import { writeJson, writeJsonError } from './wire/json.ts';
import { readQuery } from './wire/query.ts';
import { matchRest, readRest, writeRest } from './wire/rest.ts';
import { writeQueryError, writeQueryResult } from './wire/xml.ts';

export interface AwsEndpoint {
  /** For `AWS_ENDPOINT_URL`: `http://127.0.0.1:<port>`. */
  readonly url: string;
  readonly dispatcher: Dispatcher;
  /** Install a fault; the function returned takes it away again. */
  intercept(interceptor: Interceptor): () => void;
  close(): Promise<void>;
}

export interface AwsEndpointOptions {
  readonly services: readonly (Service | RawService)[];
  /** Default 0: one that is free. */
  readonly port?: number;
  /** One line per call, and the stack of the rehearsal's own mistakes. Default: nothing. */
  readonly log?: (line: string) => void;
  readonly interceptors?: readonly Interceptor[];
  /** With one, the endpoint is an HTTPS proxy, too, and answers as each of `AWS_NAMES`. Default: none. */
  readonly certificate?: Certificate;
}

/** Lambda takes 50 MB zipped; nothing that speaks here sends more. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;

export async function startAwsEndpoint(options: AwsEndpointOptions): Promise<AwsEndpoint> {
  const raw = options.services.filter(isRaw);
  const dispatcher = new ActionDispatcher(options.services.filter(isAction), options.log ?? (() => {}));
  for (const interceptor of options.interceptors ?? []) dispatcher.intercept(interceptor);

  const server = createServer((request, response) => {
    serve(request, response, dispatcher, raw).catch((error: unknown) => {
      // What is left here is a client that went away or a raw handler's own mistake; neither may end the process.
      options.log?.(`${request.method} ${request.url}: ${error instanceof Error ? error.stack : String(error)}`);
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    });
  });
  const endProxied = options.certificate && standInPlaceOfAws(server, options.certificate);
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    dispatcher,
    intercept: (interceptor) => dispatcher.intercept(interceptor),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
        endProxied?.();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  dispatcher: ActionDispatcher,
  raw: readonly RawService[],
): Promise<void> {
  const requestId = randomUUID();
  response.setHeader('x-amzn-requestid', requestId);
  const url = new URL(request.url ?? '/', 'http://endpoint');
  const scope = credentialScope(request.headers.authorization ?? '', url.searchParams);
  const rawService =
    scope === undefined
      ? raw.find((service) => service.takesUnsigned?.(url.pathname) === true)
      : raw.find((service) => service.signingName === scope.signingName);
  if (rawService !== undefined) {
    const at = Date.now();
    await rawService.handle(request, response, { accessKeyId: scope?.accessKeyId, requestId });
    const caller = { accessKeyId: scope?.accessKeyId ?? '', requestId };
    const code = response.statusCode >= 400 ? String(response.statusCode) : undefined;
    dispatcher.record(at, rawService.signingName, `${request.method} ${url.pathname}`, caller, code);
    return;
  }

  const body = await readBody(request);
  const known =
    scope === undefined ? undefined : dispatcher.service(scope.signingName, () => formOf(url, body).get('Version'));
  const service = known === undefined ? undefined : asSpoken(known, request);
  if (scope === undefined || service === undefined) {
    const message =
      scope === undefined
        ? 'The request is not signed'
        : `The rehearsal has no service with the signing name '${scope.signingName}'`;
    const error = new ServiceError(scope === undefined ? 'MissingAuthenticationToken' : 'UnknownService', message, 403);
    answer(
      response,
      403,
      { 'content-type': 'application/x-amz-json-1.1' },
      JSON.stringify(writeJsonError(error, undefined)),
    );
    return;
  }

  // Source: the AWS SDKs' user agent and retry headers; every SDK sends it with each attempt.
  const invocationId = request.headers['amz-sdk-invocation-id']?.toString();
  const caller = {
    accessKeyId: scope.accessKeyId,
    requestId,
    ...(invocationId === undefined ? {} : { invocationId }),
  };
  try {
    if (scope.region !== REGION && service.signingName !== 'sts') {
      throw new ServiceError(
        'SignatureDoesNotMatch',
        `Credential should be scoped to region '${REGION}', not '${scope.region}'`,
        403,
      );
    }
    const { statusCode, headers, body: text } = await perform(service, request, url, body, caller, dispatcher);
    answer(response, statusCode, headers, text);
  } catch (error) {
    if (error instanceof ConnectionReset) {
      request.socket.resetAndDestroy();
      return;
    }
    if (!(error instanceof ServiceError)) throw error;
    const { statusCode, headers, body: text } = writeError(service, error, requestId);
    answer(response, statusCode, headers, text);
  }
}

interface Answer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

async function perform(
  service: ServedService,
  request: IncomingMessage,
  url: URL,
  body: Buffer,
  caller: Caller,
  dispatcher: ActionDispatcher,
): Promise<Answer> {
  const { protocol, model } = service;
  switch (protocol) {
    case 'awsQuery':
    case 'ec2Query': {
      const form = formOf(url, body);
      const action = form.get('Action') ?? '';
      const version = form.get('Version');
      if (version !== model.version) {
        throw new ServiceError(
          'InvalidAction',
          `Could not find operation ${action} for version ${version ?? '(none)'}`,
        );
      }
      const done = await dispatcher.perform(
        service,
        action,
        ({ input }) => readQuery(form, input, protocol),
        caller,
        'base64',
      );
      return {
        statusCode: 200,
        headers: CONTENT_TYPE[protocol],
        body: writeQueryResult(done.operation, done.output, model, caller.requestId, protocol),
      };
    }
    case 'awsJson1_0':
    case 'awsJson1_1': {
      const [prefix, action = ''] = (request.headers['x-amz-target']?.toString() ?? '').split('.');
      const known = prefix === model.targetPrefix ? action : `${prefix}.${action}`;
      const read = () => (body.length > 0 ? JSON.parse(body.toString()) : {});
      const done = await dispatcher.perform(service, known, read, caller, 'base64');
      const text = JSON.stringify(writeJson(done.operation.output, done.output));
      return { statusCode: 200, headers: CONTENT_TYPE[protocol], body: text };
    }
    case 'restJson1': {
      const match = matchRest(model, request.method ?? '', url.pathname);
      const action = match?.operation.name ?? `${request.method} ${url.pathname}`;
      const read = () => (match === undefined ? {} : readRest(match, url.searchParams, request.headers, body));
      const done = await dispatcher.perform(service, action, read, caller, 'base64');
      const { statusCode, headers, body: text } = writeRest(done.operation, done.output);
      return { statusCode, headers: { ...CONTENT_TYPE[protocol], ...headers }, body: text };
    }
    case 'rpcV2Cbor': {
      const action = /^\/service\/[^/]+\/operation\/(\w+)$/.exec(url.pathname)?.[1] ?? url.pathname;
      const done = await dispatcher.perform(service, action, ({ input }) => readCbor(input, body), caller, 'base64');
      return { statusCode: 200, headers: CONTENT_TYPE[protocol], body: writeCbor(done.operation.output, done.output) };
    }
    default: {
      const never: never = protocol;
      throw new Error(`No such protocol: ${String(never)}`);
    }
  }
}

function writeError(service: ServedService, error: ServiceError, requestId: string): Answer {
  const { protocol, model } = service;
  const modelled = model.errors.get(error.code);
  const statusCode = modelled?.statusCode ?? error.statusCode;
  const headers = CONTENT_TYPE[protocol];
  // Clients that speak a newer protocol look for the Query protocol's code in a header, and for the shape's name in the body.
  const compatible = {
    ...headers,
    'x-amzn-query-error': `${error.code};${statusCode >= 500 ? 'Receiver' : 'Sender'}`,
  };
  if (protocol === 'rpcV2Cbor') return { statusCode, headers: compatible, body: writeCborError(error, modelled) };
  if (protocol === 'awsJson1_0') {
    const named = { ...writeJsonError(error, modelled), __type: modelled?.className ?? error.code };
    return { statusCode, headers: compatible, body: JSON.stringify(named) };
  }
  return protocol === 'awsQuery' || protocol === 'ec2Query'
    ? { statusCode, headers, body: writeQueryError(error, modelled, statusCode, model, requestId, protocol) }
    : {
        statusCode,
        headers: { ...headers, 'x-amzn-errortype': error.code },
        body: JSON.stringify(writeJsonError(error, modelled)),
      };
}

const CONTENT_TYPE = {
  awsQuery: { 'content-type': 'text/xml' },
  ec2Query: { 'content-type': 'text/xml;charset=UTF-8' },
  awsJson1_0: { 'content-type': 'application/x-amz-json-1.0' },
  awsJson1_1: { 'content-type': 'application/x-amz-json-1.1' },
  restJson1: { 'content-type': 'application/json' },
  rpcV2Cbor: { 'content-type': 'application/cbor', 'smithy-protocol': 'rpc-v2-cbor' },
} as const satisfies Record<WireProtocol, Record<string, string>>;

const formOf = (url: URL, body: Buffer): URLSearchParams =>
  new URLSearchParams(body.length > 0 ? body.toString() : url.search);

/** The service as this request speaks to it. */
function asSpoken(service: ServedService, request: IncomingMessage): ServedService {
  const { alsoSpeaks = [] } = service;
  const spoken =
    request.headers['smithy-protocol'] === 'rpc-v2-cbor'
      ? 'rpcV2Cbor'
      : request.headers['x-amz-target'] === undefined
        ? undefined
        : 'awsJson1_0';
  return spoken !== undefined && alsoSpeaks.includes(spoken) ? { ...service, protocol: spoken } : service;
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error(`Request body over ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function answer(
  response: ServerResponse,
  statusCode: number,
  headers: Readonly<Record<string, string>>,
  body: string | Uint8Array,
): void {
  response.writeHead(statusCode, { ...headers, 'content-length': Buffer.byteLength(body) }).end(body);
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      resolve();
    });
  });
}

const isRaw = (service: Service | RawService): service is RawService => 'handle' in service;
const isAction = (service: Service | RawService): service is Service => !('handle' in service);
