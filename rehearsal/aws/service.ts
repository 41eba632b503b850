/**
 * What an emulated AWS service is: named actions over a wire protocol. `endpoint.ts` puts them behind one address, as
 * `AWS_ENDPOINT_URL` wants it, and picks the service by the signing name in the request's credential scope.
 *
 * An action that is not here answers the service's own error for it, never success.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ServiceModel } from './model.ts';

export interface CallContext {
  /** The access key id that signed the call: which caller this is. */
  readonly accessKeyId: string;
  readonly requestId: string;
}

/**
 * One API action. Input and output are shaped as in the SDK (PascalCase, `Date`, `Uint8Array`); the input has been checked
 * against the API's own schema, the output is. Throws `ServiceError`; anything else thrown is answered as the service's 500.
 */
// biome-ignore lint/suspicious/noExplicitAny: shapes are checked on the wire, by the SDK's own schemas
export type Action = (input: any, context: CallContext) => Promise<unknown> | unknown;

export type WireProtocol = 'awsQuery' | 'ec2Query' | 'awsJson1_0' | 'awsJson1_1' | 'restJson1' | 'rpcV2Cbor';

export interface Service {
  /** As in the credential scope and in `AWS_ENDPOINT_URL_<NAME>`: `elasticloadbalancing`, `ssm`, `ec2`, `lambda` … */
  readonly signingName: string;
  /** By which it is called in process, recorded and looked up. Default: the signing name, which two APIs of one service share. */
  readonly name?: string;
  readonly protocol: WireProtocol;
  /** CloudWatch's clients send forms, JSON or CBOR, by their age and language. Default: `protocol` alone. */
  readonly alsoSpeaks?: readonly ('awsJson1_0' | 'rpcV2Cbor')[];
  readonly actions: Readonly<Record<string, Action>>;
  /** The API's shapes. Default: the one that `models.ts` has for its name. */
  readonly model?: ServiceModel;
}

export interface RawContext {
  /** undefined = the request is not signed. */
  readonly accessKeyId: string | undefined;
  readonly requestId: string;
}

/**
 * A service that reads and writes HTTP itself: S3, and the addresses that CloudFormation hands out as ResponseURL.
 * It also gets the presigned requests (`X-Amz-Credential` in the query) of its signing name.
 */
export interface RawService {
  readonly signingName: string;
  handle(request: IncomingMessage, response: ServerResponse, context: RawContext): Promise<void> | void;
  /** Whether an unsigned request for this path (no query) is this service's. The first that says so gets it. */
  readonly takesUnsigned?: (path: string) => boolean;
}

/** An error as the service itself would answer it. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** The wire code (`LoadBalancerNotFound`, not the SDK's class name). */
  readonly code: string;
  /** HTTP status; where the API's model knows the code, the model's status is sent. */
  readonly statusCode: number;
  /** Further members of the error, where the service's model has some. */
  readonly fields: Readonly<Record<string, unknown>>;

  constructor(code: string, message: string, statusCode = 400, fields: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.code = code;
    this.statusCode = statusCode;
    this.fields = fields;
  }
}

/** Every call that was answered, for counting and for the fault matrix. */
export interface CallRecord {
  /** Milliseconds since the epoch, when the call arrived. */
  readonly at: number;
  /** Its name. */
  readonly service: string;
  /** For a raw service: method and path. */
  readonly action: string;
  readonly accessKeyId: string;
  /** undefined = success. A connection that was cut on purpose counts as `ConnectionReset`. */
  readonly errorCode: string | undefined;
}

/** Called in process by the Automation engine (`aws:executeAwsApi`) and by CloudFormation, through the same actions. */
export interface Dispatcher {
  /** @throws ServiceError as a client on the wire would get it. Input and output are copies, as over the wire. */
  call(service: string, action: string, input: unknown, accessKeyId?: string): Promise<unknown>;
  readonly calls: readonly CallRecord[];
}
