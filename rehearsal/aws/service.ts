/**
 * What an emulated AWS service is: named actions over a wire protocol. `endpoint.ts` puts them behind one address, as
 * `AWS_ENDPOINT_URL` wants it, and picks the service by the signing name in the request's credential scope.
 *
 * An action that is not here answers the service's own error for it, never success.
 */

export interface CallContext {
  /** The access key id that signed the call: which caller this is. */
  readonly accessKeyId: string;
  readonly requestId: string;
}

// biome-ignore lint/suspicious/noExplicitAny: shapes are checked on the wire, by the SDK's own schemas
export type Action = (input: any, context: CallContext) => Promise<unknown> | unknown;

export type WireProtocol = 'awsQuery' | 'ec2Query' | 'awsJson1_1' | 'restJson1' | 'restXml';

export interface Service {
  /** As in the credential scope and in `AWS_ENDPOINT_URL_<NAME>`: `elasticloadbalancing`, `ssm`, `ec2`, `lambda` … */
  readonly signingName: string;
  readonly protocol: WireProtocol;
  readonly actions: Readonly<Record<string, Action>>;
}

/** An error as the service itself would answer it. */
export class ServiceError extends Error {
  override readonly name = 'ServiceError';
  /** The wire code (`LoadBalancerNotFound`, not the SDK's class name). */
  readonly code: string;
  /** HTTP status. */
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
  readonly at: number;
  readonly service: string;
  readonly action: string;
  readonly accessKeyId: string;
  /** undefined = success. */
  readonly errorCode: string | undefined;
}

/** Called in process by the Automation engine (`aws:executeAwsApi`) and by CloudFormation, through the same actions. */
export interface Dispatcher {
  call(signingName: string, action: string, input: unknown, accessKeyId?: string): Promise<unknown>;
  readonly calls: readonly CallRecord[];
}
