/** What a person reads of an error, and what code goes by. */
import { expect, test } from '@jest/globals';
import { messageOf, ProxyflipError, serviceErrorName } from '../../../functions/shared/errors.ts';

class BusyError extends ProxyflipError {}

test('an error of ours has its code beside its message and in it, its class for a name, and its cause', () => {
  const cause = new Error('why');

  expect(new BusyError('ERR_BUSY', 'it is.', { cause })).toMatchObject({
    name: 'BusyError',
    code: 'ERR_BUSY',
    message: 'ERR_BUSY: it is.',
    cause,
  });
});

test.each([
  [Object.assign(new Error('none'), { name: 'ParameterNotFound' }), 'ParameterNotFound', 'none'],
  ['a text', '', 'a text'],
  [undefined, '', 'undefined'],
])('of what was thrown, %s, there are name and message', (thrown, name, message) => {
  expect([serviceErrorName(thrown), messageOf(thrown)]).toEqual([name, message]);
});
