import { describe, expect, test } from '@jest/globals';
import { requireEnv, requireNumber } from '../../../functions/shared/env.ts';

describe('the environment', () => {
  test('that is set is taken', () => {
    expect(requireEnv('NAME', { NAME: 'chat' })).toBe('chat');
    expect(requireNumber('SECONDS', 0, { SECONDS: '1800' })).toBe(1800);
    expect(requireNumber('SECONDS', 0, { SECONDS: '0' })).toBe(0);
  });

  test.each([[undefined], ['']])('%j counts as not set, and nothing stands in for it', (value) => {
    expect(() => requireEnv('NAME', { NAME: value })).toThrow(
      'ERR_ENV_MISSING: the environment variable NAME is not set. The template sets it on the function.',
    );
    expect(() => requireNumber('SECONDS', 0, { SECONDS: value })).toThrow('ERR_ENV_MISSING');
  });

  test.each(['0', '-1', '1.5', '1e3', 'ten', ' 5', '5\n6'])('%j is no number of calls a second', (value) => {
    expect(() => requireNumber('CALLS', 1, { CALLS: value })).toThrow(
      `ERR_ENV_INVALID: the environment variable CALLS is "${value}"; it takes a whole number from 1. The template sets it on the function.`,
    );
  });
});
