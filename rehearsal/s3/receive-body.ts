import type { IncomingMessage, ServerResponse } from 'node:http';
import { ChunkedBody } from './chunked-body.ts';
import type { BodyDigests, ObjectStore, StoredObject } from './object-store.ts';
import { S3Error } from './xml.ts';

/**
 * Stores a request's body, without its framing, once what the client says of it has been found to be so. The checksums
 * that the client sent are put on the answer, as S3 does; SHA-256 and MD5 alone are calculated.
 */
export async function receiveBody(
  store: ObjectStore,
  bucket: string,
  key: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<StoredObject> {
  const { headers } = request;
  // Both say it; a client that signs the payload as STREAMING-… does not always name the encoding.
  const isChunked =
    /\baws-chunked\b/.test(headers['content-encoding'] ?? '') ||
    /^STREAMING-/.test(String(headers['x-amz-content-sha256'] ?? ''));
  const chunked = isChunked ? request.pipe(new ChunkedBody()) : undefined;
  if (chunked) request.on('error', (error) => chunked.destroy(error));
  const metadata = Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (name.startsWith('x-amz-meta-') ? [[name, String(value)]] : [])),
  );
  const contentType = headers['content-type'] ?? 'binary/octet-stream';

  const check = (digests: BodyDigests): void => {
    const { 'content-md5': md5, 'x-amz-decoded-content-length': length } = headers;
    if (md5 !== undefined && md5 !== digests.md5.toString('base64'))
      throw new S3Error('BadDigest', 'The Content-MD5 you specified did not match what we received.', 400);
    const sha256 = headers['x-amz-checksum-sha256'] ?? chunked?.trailers.get('x-amz-checksum-sha256');
    if (sha256 !== undefined && sha256 !== digests.sha256.toString('base64'))
      throw new S3Error('BadDigest', 'The SHA256 you specified did not match the calculated checksum.', 400);
    if (length !== undefined && Number(length) !== digests.size)
      throw new S3Error(
        'IncompleteBody',
        `The body has ${digests.size} bytes, not x-amz-decoded-content-length ${length}.`,
        400,
      );
  };
  try {
    const object = await store.put(bucket, key, chunked ?? request, { contentType, metadata }, check);
    for (const [name, value] of [...Object.entries(headers), ...(chunked?.trailers ?? [])])
      if (/^x-amz-checksum-(crc32|crc32c|crc64nvme|sha1|sha256)$/.test(name)) response.setHeader(name, String(value));
    return object;
  } catch (error) {
    if (error instanceof S3Error || !chunked) throw error;
    throw new S3Error('IncompleteBody', `The request body is not as its headers say: ${(error as Error).message}`, 400);
  }
}
