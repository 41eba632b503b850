/** Errors of the services that a check meets in the course of things. */
import { serviceErrorName } from '../shared/errors.ts';

const THROTTLED: ReadonlySet<string | undefined> = new Set([
  'Throttling',
  'ThrottlingException',
  'RequestLimitExceeded',
  'TooManyRequestsException',
  'TooManyUpdates',
]);

/** What they say when the SDK has given up waiting for them. */
export const isThrottled = (error: unknown): boolean => THROTTLED.has(serviceErrorName(error));
