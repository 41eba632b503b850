/**
 * Runs actions: shape of the input, faults before, the action, shape of the output, faults after, record. The wire
 * (`endpoint.ts`) and callers in process come through here alike, so that both meet the same errors.
 */
import { randomUUID } from 'node:crypto';
import { type Call, DUPLICATE, type Interceptor, RESET } from './faults.ts';
import type { Operation, ServiceModel } from './model.ts';
import { modelFor } from './models.ts';
import {
  type Action,
  type CallRecord,
  type Dispatcher,
  type Service,
  ServiceError,
  type WireProtocol,
} from './service.ts';
import { type BlobText, conform, ShapeError } from './shape.ts';

/** The connection is to be closed without an answer. In process it surfaces as it does from an SDK: a socket error. */
export class ConnectionReset extends Error {
  override readonly name = 'ConnectionReset';
  readonly code = 'ECONNRESET';
}

export interface ServedService {
  readonly signingName: string;
  readonly name: string;
  readonly protocol: WireProtocol;
  readonly alsoSpeaks?: Service['alsoSpeaks'];
  readonly actions: Readonly<Record<string, Action>>;
  readonly model: ServiceModel;
}

export interface Caller {
  readonly accessKeyId: string;
  readonly requestId: string;
  readonly invocationId?: string;
}

export class ActionDispatcher implements Dispatcher {
  readonly calls: CallRecord[] = [];
  readonly #services: ReadonlyMap<string, ServedService>;
  readonly #log: (line: string) => void;
  readonly #interceptors = new Set<Interceptor>();

  constructor(services: readonly Service[], log: (line: string) => void) {
    this.#services = new Map(services.map(served).map((service) => [service.name, service]));
    this.#log = log;
  }

  /** @param version  what the request says, asked for where the signing name alone does not tell */
  service(signingName: string, version: () => string | null): ServedService | undefined {
    const [first, ...others] = [...this.#services.values()].filter((each) => each.signingName === signingName);
    if (first === undefined || others.length === 0) return first;
    const wanted = version();
    return others.find(({ model }) => model.version === wanted) ?? first;
  }

  /** @returns what takes it away again */
  intercept(interceptor: Interceptor): () => void {
    this.#interceptors.add(interceptor);
    return () => this.#interceptors.delete(interceptor);
  }

  async call(name: string, action: string, input: unknown, accessKeyId = 'in-process'): Promise<unknown> {
    const service = this.#services.get(name);
    if (service === undefined) throw new ServiceError('UnknownService', `The rehearsal has no service '${name}'`);
    const caller = { accessKeyId, requestId: randomUUID() };
    const { output } = await this.perform(service, action, () => input ?? {}, caller, 'utf8');
    return output;
  }

  /**
   * @param readInput  called here so that what it throws is recorded as the call's error
   * @throws ServiceError | ConnectionReset
   */
  async perform(
    service: ServedService,
    action: string,
    readInput: (operation: Operation) => unknown,
    caller: Caller,
    blobText: BlobText,
  ): Promise<{ operation: Operation; output: unknown }> {
    const at = Date.now();
    try {
      const answer = await this.#attempt(service, action, readInput, caller, blobText);
      this.#record(at, service.name, action, caller, undefined);
      return answer;
    } catch (error) {
      const code = error instanceof ServiceError ? error.code : 'ConnectionReset';
      this.#record(at, service.name, action, caller, code);
      throw error;
    }
  }

  record(at: number, service: string, action: string, caller: Caller, errorCode: string | undefined): void {
    this.#record(at, service, action, caller, errorCode);
  }

  async #attempt(
    service: ServedService,
    action: string,
    readInput: (operation: Operation) => unknown,
    caller: Caller,
    blobText: BlobText,
  ): Promise<{ operation: Operation; output: unknown }> {
    const operation = service.model.operations.get(action);
    const run = Object.hasOwn(service.actions, action) ? service.actions[action] : undefined;
    if (operation === undefined || run === undefined) throw unknownAction(service, action);

    const input = inputOf(service, operation, () => conform(operation.input, readInput(operation), blobText));
    const { name, protocol } = service;
    const call: Call = { service: name, protocol, action, input, ...caller };
    let times = 1;
    for (const interceptor of this.#interceptors) {
      const verdict = await interceptor.before?.(call);
      if (verdict === RESET) throw new ConnectionReset(`${action}: connection reset before the action ran`);
      if (verdict === DUPLICATE) times = 2;
      if (verdict instanceof ServiceError) throw verdict;
    }

    let output: unknown;
    let failure: ServiceError | undefined;
    for (let time = 0; time < times; time++) {
      failure = undefined;
      try {
        output = conform(operation.output, await run(conform(operation.input, input, 'utf8'), caller), 'utf8');
      } catch (error) {
        failure = error instanceof ServiceError ? error : this.#ownMistake(service, action, error);
      }
    }

    for (const interceptor of this.#interceptors) {
      const verdict = await interceptor.after?.(call, { output: failure ? undefined : output, error: failure });
      if (verdict === RESET) throw new ConnectionReset(`${action}: connection reset after the action ran`);
      if (verdict instanceof ServiceError) throw verdict;
    }
    if (failure !== undefined) throw failure;
    return { operation, output };
  }

  /** The rehearsal's own mistake must not look like an answer of the service: a 500, and the stack in the log. */
  #ownMistake(service: ServedService, action: string, error: unknown): ServiceError {
    this.#log(
      `${service.name} ${action} failed in the rehearsal itself: ${error instanceof Error ? error.stack : error}`,
    );
    const code = service.protocol === 'restJson1' ? 'ServiceException' : 'InternalFailure';
    return new ServiceError(
      code,
      `The rehearsal's ${action} failed: ${error instanceof Error ? error.message : error}`,
      500,
    );
  }

  #record(at: number, service: string, action: string, { accessKeyId }: Caller, errorCode: string | undefined): void {
    this.calls.push({ at, service, action, accessKeyId, errorCode });
    this.#log(`${service} ${action} ${accessKeyId} ${errorCode ?? 'ok'}`);
  }
}

function served(service: Service): ServedService {
  const { name = service.signingName } = service;
  const model = service.model ?? modelFor(name);
  if (model === undefined) throw new Error(`No model of the API '${name}': give the service one (modelOf)`);
  for (const action of Object.keys(service.actions)) {
    if (!model.operations.has(action)) throw new Error(`The API '${name}' has no action '${action}'`);
  }
  return { ...service, name, model };
}

function unknownAction(service: ServedService, action: string): ServiceError {
  const isModelled = service.model.operations.has(action);
  const known = isModelled ? `${action} is not in the rehearsal` : `Could not find operation ${action}`;
  return service.protocol === 'awsQuery' || service.protocol === 'ec2Query'
    ? new ServiceError('InvalidAction', `${known} for version ${service.model.version}`)
    : new ServiceError('UnknownOperationException', known, service.protocol === 'restJson1' ? 404 : 400);
}

/** What each kind of service says to an input that does not fit. Codes: the services' "Common errors" pages. */
const SHAPE_CODES = {
  awsQuery: { unknown: 'ValidationError', missing: 'ValidationError', type: 'MalformedInput' },
  ec2Query: { unknown: 'UnknownParameter', missing: 'MissingParameter', type: 'InvalidParameterValue' },
  awsJson1_0: { unknown: 'ValidationException', missing: 'ValidationException', type: 'SerializationException' },
  awsJson1_1: { unknown: 'ValidationException', missing: 'ValidationException', type: 'SerializationException' },
  restJson1: { unknown: 'ValidationException', missing: 'ValidationException', type: 'SerializationException' },
  rpcV2Cbor: { unknown: 'ValidationException', missing: 'ValidationException', type: 'SerializationException' },
} as const satisfies Record<WireProtocol, Record<ShapeError['fault'], string>>;

function inputOf(service: ServedService, operation: Operation, read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (error instanceof ShapeError) {
      throw new ServiceError(SHAPE_CODES[service.protocol][error.fault], `${operation.name}: ${error.message}`);
    }
    if (error instanceof SyntaxError) throw new ServiceError('SerializationException', error.message);
    throw error;
  }
}
