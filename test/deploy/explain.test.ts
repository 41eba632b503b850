import { describe, expect, test } from '@jest/globals';
import { explain } from '../../deploy/explain.ts';
import { ProxyflipError } from '../../functions/shared/errors.ts';

const error = (message: string, members: object = {}): Error => Object.assign(new Error(message), members);
/** The SDK puts $metadata on whatever it throws, connection errors included. */
const $metadata = { attempts: 3 };

describe('what a person meets before anything works', () => {
  test.each([
    [error('Could not load credentials from any providers', { name: 'CredentialsProviderError' }), 'ERR_CREDENTIALS'],
    [error('The security token is expired', { name: 'ExpiredTokenException', $metadata }), 'ERR_CREDENTIALS'],
    [error('Region is missing'), 'ERR_REGION'],
    [error('', { code: 'ECONNREFUSED', address: '127.0.0.1', port: 1, $metadata }), 'ERR_ENDPOINT'],
    [error('getaddrinfo ENOTFOUND x', { code: 'ENOTFOUND', $metadata }), 'ERR_ENDPOINT'],
    [error('User: x is not authorized', { name: 'AccessDenied', $metadata }), 'ERR_AWS'],
  ])('%s has a code, and keeps its cause', (cause, code) => {
    expect(explain(cause)).toMatchObject({ code, cause });
    expect(explain(cause)).toBeInstanceOf(ProxyflipError);
  });

  test.each([error('a mistake of our own'), new ProxyflipError('ERR_USAGE', 'x'), 'text'])(
    '%s is left as it is',
    (other) => expect(explain(other)).toBe(other),
  );
});
