/** What an instance needs to reach S3 by its own name: the name's address, and trust in who answers there. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ADDRESSES } from '../network/fabric.ts';
import { REGION } from '../world.ts';

/** The system's, and the one that the AWS CLI brings. */
const BUNDLES = ['/etc/ssl/certs/ca-certificates.crt', '/usr/lib/python3/dist-packages/awscli/botocore/cacert.pem'];

/** By path. @param buckets  those that have a name of their own; there is no DNS @param image  the image's directory */
export async function instanceFiles(
  image: string,
  certificatePem: string,
  buckets: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const s3 = `s3.${REGION}.amazonaws.com`;
  const names = [s3, ...buckets.map((bucket) => `${bucket}.${s3}`)];
  const files = BUNDLES.filter((bundle) => existsSync(path.join(image, bundle))).map(
    async (bundle) => [bundle, `${await readFile(path.join(image, bundle), 'utf8')}\n${certificatePem}`] as const,
  );
  return {
    '/etc/hosts': `127.0.0.1 localhost\n${ADDRESSES.gateway} ${names.join(' ')}\n`,
    ...Object.fromEntries(await Promise.all(files)),
  };
}
