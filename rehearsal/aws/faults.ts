/**
 * Where a call to an emulated service can be stopped or made to go wrong. Nothing is installed by default; a fault lives in its
 * own file and is handed to `startAwsEndpoint` or to `AwsEndpoint.intercept`. Services know nothing of it. The permissions of
 * callers come in here, too (`rehearsal/iam/authorizer.ts`).
 *
 *   throttle, 500, access denied   before() returns the ServiceError that the service would answer
 *   delay                          before() or after() resolves later
 *   connection reset before        before() returns RESET: the action does not run, the client sees the connection close
 *   connection reset after         after() returns RESET: the action ran, its answer is lost
 *   duplicate delivery             before() returns DUPLICATE: the action runs twice, the second result is answered
 */
import type { ServiceError, WireProtocol } from './service.ts';

export const RESET = Symbol('reset');
export const DUPLICATE = Symbol('duplicate');

export interface Call {
  readonly service: string;
  readonly protocol: WireProtocol;
  readonly action: string;
  readonly input: unknown;
  readonly accessKeyId: string;
  readonly requestId: string;
  /** The SDK's own id of a call, the same in each of its attempts; absent: no SDK has sent it. */
  readonly invocationId?: string;
}

interface Outcome {
  /** The action's output, or undefined where it failed. */
  readonly output: unknown;
  readonly error: ServiceError | undefined;
}

type OrLater<T> = T | Promise<T>;

export interface Interceptor {
  before?(call: Call): OrLater<undefined | ServiceError | typeof RESET | typeof DUPLICATE>;
  after?(call: Call, outcome: Outcome): OrLater<undefined | ServiceError | typeof RESET>;
}
