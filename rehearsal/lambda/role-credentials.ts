/**
 * Credentials of a function: its access key id names its role, so that the endpoint's records and the permission checks
 * see who called. They look like those of an assumed role (`ASIA…`, with a session token).
 */
const PREFIX = 'ASIA';

/** @param roleArn `arn:aws:iam::<account>:role/<path/><name>` */
export function accessKeyIdOfRole(roleArn: string): string {
  return `${PREFIX}${roleArn.slice(roleArn.lastIndexOf('/') + 1)}`;
}
