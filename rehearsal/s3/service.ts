/**
 * S3, as far as the rehearsal needs it: the real AWS CLI's `s3 cp`, presigned PUTs (CloudFormation's ResponseURL), and the
 * machines' unsigned GETs. Path style and virtual-hosted style; no signature is verified. A session of a role may do what its
 * policies allow; a request that nobody signed may read every object, as if all buckets were public.
 *
 * Source: Amazon S3 API reference, the page of each operation.
 */
import { randomUUID } from 'node:crypto';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { credentialScope } from '../aws/credential-scope.ts';
import type { RawContext, RawService } from '../aws/service.ts';
import { type Security, UNENFORCED } from '../iam/security.ts';
import { REGION } from '../world.ts';
import { listObjectsPage } from './list-objects.ts';
import { answerMultipart, type MultipartUploads } from './multipart.ts';
import { ObjectStore } from './object-store.ts';
import { permissionFor } from './permission.ts';
import { receiveBody } from './receive-body.ts';
import { parseRequest, type S3Request } from './request.ts';
import { element, S3_NAMESPACE, S3Error } from './xml.ts';

export interface S3Service extends RawService {
  /** For a server of its own beside the AWS endpoint: `createServer(s3.listener).listen('/run/…/s3.sock')`. */
  readonly listener: (request: IncomingMessage, response: ServerResponse) => void;
  /** The whole content of an object. @throws S3Error NoSuchBucket, NoSuchKey */
  getObject(bucket: string, key: string): Promise<Buffer>;
  readonly bucketNames: readonly string[];
  /** Stores an object, and makes the bucket if there is none. */
  putObject(
    bucket: string,
    key: string,
    body: AsyncIterable<Uint8Array> | Uint8Array,
    contentType?: string,
  ): Promise<void>;
  /** Called after each object that was stored, from whichever side. */
  onPut(listener: (bucket: string, key: string) => void): () => void;
  /** Removes the files. */
  close(): Promise<void>;
}

/** Presigned uploads of custom resources' answers go there; the bucket is CloudFormation's own and always there. */
const RESPONSE_BUCKET = /^cloudformation-custom-resource-response-[a-z0-9-]+$/;
const BUCKET_NAME = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/** Query parameters that choose another operation (sub-resources). What is not answered here is refused by name. */
const SUB_RESOURCES = [
  'acl',
  'attributes',
  'cors',
  'delete',
  'encryption',
  'legal-hold',
  'lifecycle',
  'logging',
  'notification',

  'policy',
  'replication',
  'restore',
  'retention',
  'select',
  'tagging',
  'torrent',

  'versioning',
  'versionId',
  'versions',
  'website',
] as const;

export function createS3Service(
  options: { readonly directory?: string; readonly security?: Security } = {},
): S3Service {
  const { security = UNENFORCED } = options;
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'proxyflip-s3-'));
  const store = new ObjectStore(directory);
  const uploads: MultipartUploads = new Map();
  const listeners = new Set<(bucket: string, key: string) => void>();
  const stored = (bucket: string, key: string) => {
    for (const listener of listeners) listener(bucket, key);
  };

  const handle = async (request: IncomingMessage, response: ServerResponse, context: RawContext): Promise<void> => {
    response.setHeader('x-amz-request-id', context.requestId);
    response.setHeader('Server', 'AmazonS3');
    try {
      const call = parseRequest(request, response);
      const refused = context.accessKeyId && security.refusal(context.accessKeyId, permissionFor(call));
      if (refused) throw new S3Error('AccessDenied', refused, 403);
      await answer(store, uploads, stored, call);
    } catch (error) {
      if (!(error instanceof S3Error)) throw error;
      sendError(request, response, error, context.requestId);
    }
  };

  return {
    signingName: 's3',
    handle,
    takesUnsigned: (path) => path !== '/',
    listener: (request, response) => {
      const { searchParams } = new URL(request.url ?? '/', 'http://s3');
      const accessKeyId = credentialScope(request.headers.authorization ?? '', searchParams)?.accessKeyId;
      handle(request, response, { accessKeyId, requestId: randomUUID() }).catch(() => {
        // The client went away, or the rehearsal's own mistake; neither may end the process.
        if (response.headersSent) response.destroy();
        else response.writeHead(500).end();
      });
    },
    get bucketNames() {
      return store.bucketNames();
    },
    getObject: async (bucket, key) => {
      const object = findObject(store, bucket, key);
      const chunks: Buffer[] = [];
      if (object.size > 0)
        for await (const chunk of store.read(object, { start: 0, end: object.size - 1 }))
          chunks.push(Buffer.from(chunk));
      return Buffer.concat(chunks);
    },
    putObject: async (bucket, key, body, contentType = 'application/octet-stream') => {
      store.createBucket(bucket);
      await store.put(bucket, key, body instanceof Uint8Array ? oneChunk(body) : body, { contentType, metadata: {} });
      stored(bucket, key);
    },
    onPut: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    close: () => rm(directory, { recursive: true, force: true }),
  };
}

async function* oneChunk(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function answer(
  store: ObjectStore,
  uploads: MultipartUploads,
  stored: (bucket: string, key: string) => void,
  call: S3Request,
): Promise<void> {
  const { method, bucket, key, query } = call;
  // The store's own bucket, for parts, has a name that S3 does not allow.
  if (bucket.startsWith('/')) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
  const subResource = SUB_RESOURCES.find((name) => query.has(name));
  if (subResource || call.request.headers['x-amz-copy-source'] !== undefined)
    throw new S3Error(
      'NotImplemented',
      `${method} with ${subResource ?? 'x-amz-copy-source'} is not supported by the rehearsal.`,
      501,
    );
  if (key !== '' && (query.has('uploads') || query.has('uploadId'))) {
    if (await answerMultipart(store, uploads, call)) stored(bucket, key);
    return;
  }
  const operation = `${method} ${bucket === '' ? 'service' : key === '' ? 'bucket' : 'object'}`;
  switch (operation) {
    case 'GET service':
      return listBuckets(store, call);
    case 'PUT bucket':
      return createBucket(store, call);
    case 'HEAD bucket':
      requireBucket(store, bucket);
      call.response.writeHead(200, { 'x-amz-bucket-region': REGION }).end();
      return;
    case 'DELETE bucket':
      requireBucket(store, bucket);
      if (!store.deleteBucket(bucket))
        throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', 409);
      call.response.writeHead(204).end();
      return;
    case 'GET bucket':
      requireBucket(store, bucket);
      return sendXml(
        call.response,
        query.has('location') ? locationXml() : listObjectsPage(store.list(bucket), bucket, query),
      );
    case 'PUT object':
      await putObject(store, call);
      return stored(bucket, key);
    case 'GET object':
    case 'HEAD object':
      return getObject(store, call);
    case 'DELETE object':
      requireBucket(store, bucket);
      await store.delete(bucket, key);
      call.response.writeHead(204).end();
      return;
    default:
      throw new S3Error('NotImplemented', `${operation} is not supported by the rehearsal.`, 501);
  }
}

function listBuckets(store: ObjectStore, { response }: S3Request): void {
  const buckets = store.bucketNames().map((name) => element('Bucket', element('Name', name, 'text')));
  sendXml(
    response,
    `<ListAllMyBucketsResult xmlns="${S3_NAMESPACE}">${element('Buckets', buckets.join(''))}</ListAllMyBucketsResult>`,
  );
}

const locationXml = (): string => `<LocationConstraint xmlns="${S3_NAMESPACE}">${REGION}</LocationConstraint>`;

function createBucket(store: ObjectStore, { bucket, request, response }: S3Request): void {
  if (!BUCKET_NAME.test(bucket)) throw new S3Error('InvalidBucketName', 'The specified bucket is not valid.', 400);
  request.resume();
  if (!store.createBucket(bucket))
    throw new S3Error(
      'BucketAlreadyOwnedByYou',
      'Your previous request to create the named bucket succeeded and you already own it.',
      409,
    );
  response.writeHead(200, { Location: `/${bucket}` }).end();
}

async function putObject(store: ObjectStore, call: S3Request): Promise<void> {
  const { bucket, key, request, response } = call;
  if (RESPONSE_BUCKET.test(bucket)) store.createBucket(bucket);
  requireBucket(store, bucket);
  const object = await receiveBody(store, bucket, key, request, response);
  response.writeHead(200, { ETag: object.etag, 'Content-Length': 0 }).end();
}

async function getObject(store: ObjectStore, { bucket, key, method, request, response }: S3Request): Promise<void> {
  const object = findObject(store, bucket, key);
  const headers = {
    ETag: object.etag,
    'Last-Modified': object.modifiedAt.toUTCString(),
    'Content-Type': object.contentType,
    'Accept-Ranges': 'bytes',
    ...object.metadata,
  };
  const ifNoneMatch = request.headers['if-none-match'];
  if (ifNoneMatch === object.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = parseRange(request.headers.range, object.size);
  const length = range.end - range.start + 1;
  response.writeHead(range.isPart ? 206 : 200, {
    ...headers,
    'Content-Length': length,
    ...(range.isPart ? { 'Content-Range': `bytes ${range.start}-${range.end}/${object.size}` } : {}),
  });
  if (method === 'HEAD' || length === 0) {
    response.end();
    return;
  }
  await new Promise<void>((resolve, reject) => {
    const body = store.read(object, range);
    body.on('error', reject);
    response.on('close', () => {
      body.destroy();
      resolve();
    });
    body.pipe(response);
  });
}

function parseRange(header: string | undefined, size: number): { start: number; end: number; isPart: boolean } {
  const [, first, last] = header?.match(/^bytes=(\d*)-(\d*)$/) ?? [];
  if (first === undefined || last === undefined || first + last === '')
    return { start: 0, end: size - 1, isPart: false };
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(size - 1, Number(last));
  if (start > end || start >= size) throw new S3Error('InvalidRange', 'The requested range is not satisfiable', 416);
  return { start, end, isPart: true };
}

function requireBucket(store: ObjectStore, bucket: string): void {
  if (!store.hasBucket(bucket)) throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', 404);
}

function findObject(store: ObjectStore, bucket: string, key: string) {
  requireBucket(store, bucket);
  const object = store.find(bucket, key);
  if (!object) throw new S3Error('NoSuchKey', `The specified key does not exist: ${key}`, 404);
  return object;
}

function sendXml(response: ServerResponse, body: string): void {
  response.writeHead(200, { 'Content-Type': 'application/xml' }).end(`<?xml version="1.0" encoding="UTF-8"?>\n${body}`);
}

function sendError(request: IncomingMessage, response: ServerResponse, error: S3Error, requestId: string): void {
  // What is left of the body is read, so that the client gets to the answer.
  request.resume();
  response.writeHead(error.statusCode, { 'Content-Type': 'application/xml' });
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${element('Code', error.code, 'text')}${element('Message', error.message, 'text')}${element('RequestId', requestId, 'text')}</Error>`;
  response.end(request.method === 'HEAD' ? undefined : body);
}
