/** `npm run package`: everything that a stack needs, in the bucket. */
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { readArtifacts, readTemplate } from './artifacts.ts';
import { requireBucket, upload } from './bucket.ts';
import type { PackageOptions } from './options.ts';
import { type PackagedTemplate, packageTemplate } from './packaged-template.ts';

export interface PackageDeps {
  readonly s3: S3Client;
  readonly region: string;
  /** Of the checkout, where dist/ is. */
  readonly root: string;
  readonly say: (line: string) => void;
}

/** @returns the template that was asked for; what it nests has been uploaded before it */
export async function packageProduct(deps: PackageDeps, options: PackageOptions): Promise<PackagedTemplate> {
  const { s3, region, root, say } = deps;
  const { bucket, prefix } = options;
  const artifacts = readArtifacts(root);
  const templates = packageTemplate(options.template, (name) => readTemplate(root, name), {
    bucket,
    prefix,
    region,
  });
  await requireBucket(s3, bucket, region);
  const objects = [
    ...artifacts.map(({ key, file }) => ({ key, content: () => readFile(path.join(root, file)) })),
    ...templates.map(({ key, text }) => ({ key, content: async () => Buffer.from(text) })),
  ];
  for (const { key, content } of objects) {
    const body = await content();
    const isSent = await upload(s3, bucket, `${prefix}${key}`, body);
    say(`${isSent ? 'uploaded' : 'is there '}  ${kilobytes(body.length)}  s3://${bucket}/${prefix}${key}`);
  }
  const packaged = templates.at(-1) as PackagedTemplate;
  if (options.output !== undefined) {
    await writeFile(options.output, packaged.text);
    say(`written    ${options.output}`);
  }
  return packaged;
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024).toLocaleString('en')} KB`.padStart(9);
