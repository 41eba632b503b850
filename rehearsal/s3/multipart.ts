/**
 * Multipart uploads, which the AWS CLI makes of everything above 8 MB.
 *
 * Parts are objects of a bucket of their own that no request can name, until they are joined.
 * Source: Amazon S3 API reference, CreateMultipartUpload, UploadPart, CompleteMultipartUpload, AbortMultipartUpload.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { ObjectStore, StoredObject } from './object-store.ts';
import { receiveBody } from './receive-body.ts';
import type { S3Request } from './request.ts';
import { element, S3_NAMESPACE, S3Error } from './xml.ts';

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly contentType: string;
  readonly metadata: Readonly<Record<string, string>>;
}

export type MultipartUploads = Map<string, Upload>;

const PARTS = '/parts';

/** @returns true once the object is there */
export async function answerMultipart(
  store: ObjectStore,
  uploads: MultipartUploads,
  call: S3Request,
): Promise<boolean> {
  const { method, bucket, key, query, request, response } = call;
  if (!store.hasBucket(bucket)) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
  if (method === 'POST' && query.has('uploads')) {
    const id = randomUUID();
    const metadata = Object.entries(request.headers).flatMap(([name, value]) =>
      name.startsWith('x-amz-meta-') ? [[name, String(value)] as const] : [],
    );
    const contentType = request.headers['content-type'] ?? 'binary/octet-stream';
    uploads.set(id, { bucket, key, contentType, metadata: Object.fromEntries(metadata) });
    request.resume();
    sendResult(call, 'InitiateMultipartUploadResult', [
      element('Bucket', bucket, 'text'),
      element('Key', key, 'text'),
      element('UploadId', id),
    ]);
    return false;
  }

  const id = query.get('uploadId') ?? '';
  const upload = uploads.get(id);
  if (!upload || upload.bucket !== bucket || upload.key !== key)
    throw new S3Error('NoSuchUpload', 'The specified multipart upload does not exist.', 404);
  store.createBucket(PARTS);
  if (method === 'PUT') {
    const number = Number(query.get('partNumber'));
    if (!Number.isInteger(number) || number < 1 || number > 10_000)
      throw new S3Error('InvalidArgument', 'Part number must be an integer between 1 and 10000, inclusive', 400);
    const { etag } = await receiveBody(store, PARTS, `${id}/${number}`, request, response);
    response.writeHead(200, { ETag: etag, 'Content-Length': 0 }).end();
    return false;
  }
  if (method === 'DELETE') {
    await forget(store, uploads, id);
    response.writeHead(204).end();
    return false;
  }
  if (method !== 'POST')
    throw new S3Error('NotImplemented', `${method} with uploadId is not supported by the rehearsal.`, 501);

  const parts = await namedParts(store, id, call);
  const joined = await store.put(bucket, key, contentOf(store, parts), upload);
  // "The ETag of a multipart upload is not the MD5 of the object": it is that of the parts' MD5s, and how many they are.
  const digests = Buffer.concat(parts.map(({ etag }) => Buffer.from(etag.slice(1, -1), 'hex')));
  const etag = `"${createHash('md5').update(digests).digest('hex')}-${parts.length}"`;
  Object.assign(joined, { etag });
  await forget(store, uploads, id);
  sendResult(call, 'CompleteMultipartUploadResult', [
    element('Bucket', bucket, 'text'),
    element('Key', key, 'text'),
    element('ETag', etag, 'text'),
  ]);
  return true;
}

/** The parts in the order that the client names them, which must be ascending. */
async function namedParts(store: ObjectStore, id: string, { request }: S3Request): Promise<StoredObject[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks).toString('utf8');
  const named = [...body.matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
    number: Number(part.match(/<PartNumber>\s*(\d+)\s*</)?.[1]),
    etag: part.match(/<ETag>\s*(?:&quot;|&#34;|")?([0-9a-f]{32})/)?.[1],
  }));
  if (named.length === 0) throw new S3Error('MalformedXML', 'The XML you provided names no part.', 400);
  if (named.some(({ number }, index) => index > 0 && number <= (named[index - 1]?.number ?? 0)))
    throw new S3Error('InvalidPartOrder', 'The list of parts was not in ascending order.', 400);
  return named.map(({ number, etag }) => {
    const part = store.find(PARTS, `${id}/${number}`);
    if (!part || part.etag !== `"${etag}"`)
      throw new S3Error('InvalidPart', `Part ${number} could not be found, or its ETag is another.`, 400);
    return part;
  });
}

async function* contentOf(store: ObjectStore, parts: readonly StoredObject[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) if (part.size > 0) yield* store.read(part, { start: 0, end: part.size - 1 });
}

async function forget(store: ObjectStore, uploads: MultipartUploads, id: string): Promise<void> {
  uploads.delete(id);
  for (const { key } of store.list(PARTS)) if (key.startsWith(`${id}/`)) await store.delete(PARTS, key);
}

function sendResult({ response }: S3Request, name: string, members: readonly string[]): void {
  response.writeHead(200, { 'Content-Type': 'application/xml' });
  response.end(
    `<?xml version="1.0" encoding="UTF-8"?>\n<${name} xmlns="${S3_NAMESPACE}">${members.join('')}</${name}>`,
  );
}
