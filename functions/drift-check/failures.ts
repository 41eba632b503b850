/** Errors of the services that a check meets in the course of things. */
import { serviceErrorName } from '../shared/errors.ts';

const THROTTLED: ReadonlySet<string | undefined> = new Set([
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'TooManyUpdates',
]);

/** The SDK's class, and the wire's code. */
const GONE: ReadonlySet<string | undefined> = new Set(['AccessPointNotFoundException', 'LoadBalancerNotFound']);

/** What they say when the SDK has given up waiting for them. */
export const isThrottled = (error: unknown): boolean => THROTTLED.has(serviceErrorName(error));

export const isGone = (error: unknown): boolean => GONE.has(serviceErrorName(error));
