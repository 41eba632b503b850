/** Which errors of the services a check takes as they come. */
import { expect, test } from '@jest/globals';
import { isThrottled } from '../../../functions/drift-check/failures.ts';
import { isGone } from '../../../functions/shared/errors.ts';
import { FakeError } from '../fake-aws.ts';

test.each([
  // Elastic Load Balancing, Systems Manager, EC2's word, Lambda's and EventBridge's, parameters.
  ['Throttling', 'throttled'],
  ['ThrottlingException', 'throttled'],
  ['RequestLimitExceeded', 'throttled'],
  ['TooManyRequestsException', 'throttled'],
  ['TooManyUpdates', 'throttled'],
  // The SDK's class, and the wire's code.
  ['AccessPointNotFoundException', 'gone'],
  ['LoadBalancerNotFound', 'gone'],
  ['AccessDenied', 'neither'],
])('%s is %s', (name, is) => {
  const error = new FakeError(name);
  expect([isThrottled(error), isGone(error)]).toEqual([is === 'throttled', is === 'gone']);
});

test('what is no error of a service is neither', () => {
  expect([isThrottled('Throttling'), isGone('LoadBalancerNotFound')]).toEqual([false, false]);
});
