/** The terminal of somebody who has read the README: what the rehearsal printed to be set is set, and `aws` is the AWS CLI. */
import { existsSync } from 'node:fs';
import { ROOT } from './markdown.ts';
import type { ServedRehearsal } from './served-rehearsal.ts';
import { ShellSession } from './shell-session.ts';

const SETTING_LIMIT_MS = 5_000;

export async function openAwsShell(served: ServedRehearsal): Promise<ShellSession> {
  // Debian's own command, where it is there, before any other of that name.
  const path = existsSync('/usr/bin/aws') ? `/usr/bin:${process.env.PATH}` : process.env.PATH;
  // What the rehearsal does not say, it does not get from whoever runs the tests.
  const { AWS_PROFILE: _, AWS_ENDPOINT_URL: __, AWS_REGION: ___, ...env } = process.env;
  const shell = new ShellSession(ROOT, { ...env, PATH: path, AWS_PAGER: '', AWS_EC2_METADATA_DISABLED: 'true' });
  await shell.run(served.settings, SETTING_LIMIT_MS);
  return shell;
}
