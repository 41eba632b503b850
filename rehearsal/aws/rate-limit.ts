/**
 * An account's request rate: what comes faster is answered as the service answers it, and counts as a call all the same.
 *
 * AWS publishes no figures for Elastic Load Balancing and Systems Manager; that there is a bucket which fills steadily stands in the
 * EC2 API reference, "Request throttling". Installed by whoever wants it (`startAwsEndpoint`, `intercept`), never by default.
 */
import type { Call, Interceptor } from './faults.ts';
import { ServiceError, type WireProtocol } from './service.ts';

export interface RateLimitOptions {
  readonly callsPerSecond: number;
  /** How many may come at once after a pause. Default: those of one second. */
  readonly burst?: number;
  /** Calls of one name share a bucket; undefined = this call is not limited. Default: all share one. */
  readonly bucketOf?: (call: Call) => string | undefined;
  /** Milliseconds. Default: Date.now. */
  readonly now?: () => number;
}

export interface RateLimit extends Interceptor {
  /** How many calls were refused. */
  readonly refused: number;
}

interface Bucket {
  tokens: number;
  filledAt: number;
}

export function createRateLimit({
  callsPerSecond,
  burst = callsPerSecond,
  bucketOf = () => 'all',
  now = Date.now,
}: RateLimitOptions): RateLimit {
  const buckets = new Map<string, Bucket>();
  let refused = 0;
  return {
    get refused() {
      return refused;
    },
    before(call) {
      const name = bucketOf(call);
      if (name === undefined) return undefined;
      const at = now();
      const bucket = buckets.get(name) ?? { tokens: burst, filledAt: at };
      buckets.set(name, bucket);
      bucket.tokens = Math.min(burst, bucket.tokens + ((at - bucket.filledAt) / 1000) * callsPerSecond);
      bucket.filledAt = at;
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return undefined;
      }
      refused += 1;
      return throttling(call.protocol);
    },
  };
}

/** Each kind of service in its own words; clients tell by the code that they may try again. */
export function throttling(protocol: WireProtocol): ServiceError {
  switch (protocol) {
    case 'awsQuery':
      return new ServiceError('Throttling', 'Rate exceeded', 400);
    case 'ec2Query':
      return new ServiceError('RequestLimitExceeded', 'Request limit exceeded.', 503);
    case 'restJson1':
      return new ServiceError('TooManyRequestsException', 'Rate Exceeded.', 429, { Type: 'User' });
    default:
      return new ServiceError('ThrottlingException', 'Rate exceeded', 400);
  }
}
