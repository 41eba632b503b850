/** What an instance needs to reach S3 by its own name: the name's address, and trust in who answers there. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ADDRESSES } from '../network/fabric.ts';
import { REGION } from '../world.ts';

const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/** By path. @param buckets  those that have a name of their own; there is no DNS @param image  the image's directory */
export async function instanceFiles(
  image: string,
  certificatePem: string,
  buckets: readonly string[],
): Promise<Readonly<Record<string, string>>> {
  const s3 = `s3.${REGION}.amazonaws.com`;
  const names = [s3, ...buckets.map((bucket) => `${bucket}.${s3}`)];
  return {
    '/etc/hosts': `127.0.0.1 localhost\n${ADDRESSES.gateway} ${names.join(' ')}\n`,
    [BUNDLE]: `${await readFile(path.join(image, BUNDLE), 'utf8')}\n${certificatePem}`,
  };
}
