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
}

export interface UploadedObject {
  readonly key: string;
  readonly bytes: number;
  /** false = it was there. */
  readonly isSent: boolean;
}

export interface Packaged {
  /** The one that was asked for; what it nests has been uploaded, too. */
  readonly template: PackagedTemplate;
  readonly objects: readonly UploadedObject[];
}

export async function packageProduct(deps: PackageDeps, options: PackageOptions): Promise<Packaged> {
  const { s3, region, root } = deps;
  const { bucket, prefix } = options;
  const artifacts = readArtifacts(root);
  const templates = packageTemplate(options.template, (name) => readTemplate(root, name), { bucket, prefix, region });
  await requireBucket(s3, bucket, region);
  const contents = [
    ...artifacts.map(({ key, file }) => ({ key, read: () => readFile(path.join(root, file)) })),
    ...templates.map(({ key, text }) => ({ key, read: async () => Buffer.from(text) })),
  ];
  const objects: UploadedObject[] = [];
  for (const { key, read } of contents) {
    const body = await read();
    const isSent = await upload(s3, bucket, `${prefix}${key}`, body);
    objects.push({ key: `${prefix}${key}`, bytes: body.length, isSent });
  }
  const template = templates.at(-1) as PackagedTemplate;
  if (options.output !== undefined) await writeFile(options.output, template.text);
  return { template, objects };
}

/** A line for each object. */
export function describeObjects(bucket: string, objects: readonly UploadedObject[]): string[] {
  return objects.map(
    ({ key, bytes, isSent }) => `${isSent ? 'uploaded' : 'is there'}  ${kilobytes(bytes)}  s3://${bucket}/${key}`,
  );
}

/** All in one line. */
export function countObjects(objects: readonly UploadedObject[]): string {
  const sent = objects.filter(({ isSent }) => isSent);
  const bytes = sent.reduce((sum, object) => sum + object.bytes, 0);
  return `${sent.length} of ${objects.length} objects uploaded (${kilobytes(bytes).trim()}), the others were there`;
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024).toLocaleString('en')} KB`.padStart(9);
