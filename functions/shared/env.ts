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
