/** The artifact bucket: is it fit, and what has to go there. Keys hold the content's SHA-256, so what is there already is the same. */
import { HeadBucketCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { ProxyflipError, serviceErrorName } from '../functions/shared/errors.ts';

/** @throws ProxyflipError ERR_BUCKET  missing, in another Region, or not ours to write to; says which and the way out */
export async function requireBucket(s3: S3Client, bucket: string, region: string): Promise<void> {
  const found = await headBucket(s3, bucket);
  if (found.region !== undefined && found.region !== region) {
    throw new ProxyflipError(
      'ERR_BUCKET',
      `the bucket ${bucket} is in ${found.region}, and the stack will be in ${region}: CloudFormation takes code from its own Region alone. Name a bucket in ${region}, or set AWS_REGION to ${found.region}.`,
    );
  }
  if (found.status === 404) {
    throw new ProxyflipError(
      'ERR_BUCKET',
      `there is no bucket ${bucket}. Make it and run again: aws s3 mb s3://${bucket} --region ${region}`,
    );
  }
  if (found.status === 403) {
    throw new ProxyflipError(
      'ERR_BUCKET',
      `these credentials may not look into the bucket ${bucket} (403), or it belongs to somebody else. Name another, or ask its owner for s3:ListBucket, s3:GetObject and s3:PutObject.`,
    );
  }
}

/** S3 names the Region in each answer, a refusal included: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
async function headBucket(s3: S3Client, bucket: string): Promise<{ status: number; region: string | undefined }> {
  try {
    const { BucketRegion } = await s3.send(new HeadBucketCommand({ Bucket: bucket }));
    return { status: 200, region: BucketRegion };
  } catch (error) {
    const { $metadata, $response } = error as {
      $metadata?: { httpStatusCode?: number };
      $response?: { headers?: Readonly<Record<string, string>> };
    };
    const status = $metadata?.httpStatusCode;
    if (status === undefined || ![301, 400, 403, 404].includes(status)) throw error;
    const region = $response?.headers?.['x-amz-bucket-region'];
    // 400 is a bad request only where no Region explains it.
    if (status === 400 && region === undefined) throw error;
    return { status, region };
  }
}

export interface Content {
  readonly key: string;
  readonly bytes: number;
  /** Only called where it has to be sent: the chat's archives have 45 MB each. */
  read(): Promise<Uint8Array>;
}

/** @returns whether it had to be sent; false = it was there */
export async function upload(s3: S3Client, bucket: string, content: Content): Promise<boolean> {
  const { key, bytes } = content;
  if (await isThere(s3, bucket, key, bytes)) return false;
  await s3.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: await content.read() }));
  return true;
}

async function isThere(s3: S3Client, bucket: string, key: string, bytes: number): Promise<boolean> {
  try {
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return ContentLength === bytes;
  } catch (error) {
    // Without s3:ListBucket a missing object is answered as a forbidden one; sending it is never wrong.
    if (['NotFound', 'NoSuchKey', 'Forbidden', 'AccessDenied', '403'].includes(serviceErrorName(error) ?? ''))
      return false;
    throw error;
  }
}
