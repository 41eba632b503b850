/** The real AWS CLI of the distribution, against a rehearsal: as a person types it. */
import { spawn } from 'node:child_process';
import { CREDENTIALS } from '../../rehearsal/environment.ts';
import { REGION } from '../../rehearsal/world.ts';

/** Debian's, which is what the README's commands are written for. */
const AWS = '/usr/bin/aws';

/** In the environment, beside the endpoint. */
export const asPerson = () => ({
  AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
  AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
  AWS_DEFAULT_REGION: REGION,
});

/** @returns standard output, read as JSON where it is some @throws Error  with what the CLI said */
export async function aws<Answer>(endpointUrl: string, ...args: readonly string[]): Promise<Answer> {
  const child = spawn(AWS, ['--endpoint-url', endpointUrl, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...asPerson(), AWS_DEFAULT_OUTPUT: 'json', AWS_PAGER: '' },
  });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += chunk));
  child.stderr.on('data', (chunk) => (err += chunk));
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  if (status !== 0) throw new Error(`aws ${args.join(' ')} ended with ${status}: ${err.trim()}\n${out.trim()}`);
  return (out.trimStart().startsWith('{') || out.trimStart().startsWith('[') ? JSON.parse(out) : out) as Answer;
}
