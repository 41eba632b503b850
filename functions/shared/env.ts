/** The environment, read once and typed. */
import { ProxyflipError } from './errors.ts';

export function requireEnv(name: string, env: NodeJS.ProcessEnv = process.env): string {
  const value = env[name];
  if (value === undefined || value === '') {
    throw new ProxyflipError(
      'ERR_ENV_MISSING',
      `the environment variable ${name} is not set. The template sets it on the function.`,
    );
  }
  return value;
}

/** A whole number. Of a text that is none every comparison would be false, and no limit hold. */
export function requireNumber(name: string, least: number, env: NodeJS.ProcessEnv = process.env): number {
  const value = requireEnv(name, env);
  if (!/^\d+$/.test(value) || Number(value) < least) {
    throw new ProxyflipError(
      'ERR_ENV_INVALID',
      `the environment variable ${name} is "${value}"; it takes a whole number from ${least}. The template sets it on the function.`,
    );
  }
  return Number(value);
}
