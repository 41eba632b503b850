/** An error that a person reads in a console: a stable code, what, with which value, and what to do. */
export class ProxyflipError extends Error {
  /** `ERR_…`; stable, so that a caller may tell cases apart without reading the sentence. */
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    // The code stands in the message too: of a failed step, Systems Manager and CloudFormation show nothing else.
    super(`${code}: ${message}`, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The service's code or class name of an SDK error; empty for what is no error at all. */
export function serviceErrorName(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

/** No load balancer of that name: the SDK's class, and the wire's code, which an answer that the SDK does not know would show. */
export const isGone = (error: unknown): boolean =>
  ['AccessPointNotFoundException', 'LoadBalancerNotFound'].includes(serviceErrorName(error));

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
