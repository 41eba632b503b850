import type { IncomingMessage, ServerResponse } from 'node:http';

/** What a request asks for. */
export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** Path style (`/bucket/key`), or virtual-hosted style where the host says so (`bucket.s3.eu-central-1.amazonaws.com`). */
export function parseRequest(request: IncomingMessage, response: ServerResponse): S3Request {
  const url = new URL(request.url ?? '/', 'http://s3');
  const virtual = request.headers.host?.match(/^(.+)\.s3[.-][^:]*amazonaws\.com(:\d+)?$/)?.[1];
  const path = virtual === undefined ? url.pathname.slice(1) : `${virtual}${url.pathname}`;
  const slash = path.indexOf('/');
  return {
    method: request.method ?? 'GET',
    bucket: decodeURIComponent(slash < 0 ? path : path.slice(0, slash)),
    key: slash < 0 ? '' : decodeURIComponent(path.slice(slash + 1)),
    query: url.searchParams,
    request,
    response,
  };
}
