/** Which permission a request needs. Source: Service Authorization Reference, Amazon S3. */
import type { Permission } from '../iam/evaluate.ts';
import type { S3Request } from './request.ts';

export function permissionFor({ method, bucket, key, query }: S3Request): Permission {
  if (bucket === '') return { action: 's3:ListAllMyBuckets', resource: '*' };
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  return { action: `s3:${key === '' ? bucketAction(method, query) : objectAction(method, query)}`, resource };
}

function bucketAction(method: string, query: URLSearchParams): string {
  if (method === 'PUT') return 'CreateBucket';
  if (method === 'DELETE') return 'DeleteBucket';
  if (query.has('location')) return 'GetBucketLocation';
  return query.has('uploads') ? 'ListBucketMultipartUploads' : 'ListBucket';
}

/** Parts of an upload are PutObject, too; HEAD is GetObject. */
function objectAction(method: string, query: URLSearchParams): string {
  if (method === 'DELETE') return query.has('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject';
  if (method === 'PUT' || method === 'POST') return 'PutObject';
  return query.has('uploadId') ? 'ListMultipartUploadParts' : 'GetObject';
}
