/** Errors of the services that a check meets in the course of things. */
import { serviceErrorName } from '../shared/errors.ts';

/** What they say when the SDK has given up waiting for them. */
export const isThrottled = (error: unknown): boolean =>
  ['Throttling', 'ThrottlingException', 'RequestLimitExceeded', 'TooManyRequestsException', 'TooManyUpdates'].includes(
    serviceErrorName(error) ?? '',
  );

/** The SDK's class, and the wire's code. */
export const isGone = (error: unknown): boolean =>
  ['AccessPointNotFoundException', 'LoadBalancerNotFound'].includes(serviceErrorName(error) ?? '');
