/** `npm run package`: everything that a stack needs, in the bucket. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { S3Client } from '@aws-sdk/client-s3';
import { readArtifacts, readTemplate } from './artifacts.ts';
import { type Content, requireBucket, upload } from './bucket.ts';
import type { PackageOptions } from './options.ts';
import { type PackagedTemplate, packageTemplate } from './packaged-template.ts';

export interface PackageDeps {
  readonly s3: S3Client;
  readonly region: string;
  /** Of the checkout, where dist/ is. */
  readonly root: string;
}

export interface Package {
  readonly bucket: string;
  /** The one that was asked for. */
  readonly template: PackagedTemplate;
  /** With those that it nests. */
  readonly templates: readonly PackagedTemplate[];
  /** All that goes into the bucket. */
  readonly contents: readonly Content[];
}

export interface UploadedObject {
  readonly key: string;
  readonly bytes: number;
  /** false = it was there. */
  readonly isSent: boolean;
}

/** Everything but the sending: nothing is changed yet. @throws ProxyflipError ERR_NOT_BUILT, ERR_NO_TEMPLATE, ERR_BUCKET */
export async function preparePackage({ s3, region, root }: PackageDeps, options: PackageOptions): Promise<Package> {
  const { bucket, prefix } = options;
  const artifacts = readArtifacts(root);
  const templates = packageTemplate(options.template, (name) => readTemplate(root, name), { bucket, prefix, region });
  await requireBucket(s3, bucket, region);
  return {
    bucket,
    template: templates.at(-1) as PackagedTemplate,
    templates,
    contents: [
      ...artifacts.map(({ key, file, bytes }) => ({
        key: `${prefix}${key}`,
        bytes,
        read: () => readFile(path.join(root, file)),
      })),
      ...templates.map(({ key, text }) => {
        const body = Buffer.from(text);
        return { key: `${prefix}${key}`, bytes: body.length, read: async () => body };
      }),
    ],
  };
}

export async function uploadPackage(s3: S3Client, { bucket, contents }: Package): Promise<UploadedObject[]> {
  const objects: UploadedObject[] = [];
  for (const content of contents) {
    objects.push({ key: content.key, bytes: content.bytes, isSent: await upload(s3, bucket, content) });
  }
  return objects;
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
  if (sent.length === 0) return `all ${objects.length} objects were there`;
  const others = sent.length < objects.length ? ', the others were there' : '';
  return `${sent.length} of ${objects.length} objects uploaded (${kilobytes(bytes).trim()})${others}`;
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024).toLocaleString('en')} KB`.padStart(9);
