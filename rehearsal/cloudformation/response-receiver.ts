/**
 * Where custom resources answer: an unguessable address for each request, as CloudFormation's presigned S3 address is.
 *
 * It is as strict as the signature makes S3: no content type, since none was signed; a length, since S3 takes no chunked
 * upload; PUT alone. Sources: user guide, "Custom resource response objects"; that a content type breaks the signature is
 * what cfn-response and the CDK's own sender work around with an empty one.
 */
import { randomBytes } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { REGION } from '../world.ts';

export interface ResponseReceiver {
  /** @returns the address for one request, and what takes it back */
  expect(name: string, onResponse: (body: Buffer) => void): Promise<{ readonly url: string; forget(): void }>;
  close(): Promise<void>;
}

interface Expected {
  readonly signature: string;
  readonly onResponse: (body: Buffer) => void;
}

export function createResponseReceiver(): ResponseReceiver {
  const expected = new Map<string, Expected>();
  let listening: Promise<http.Server> | undefined;

  async function listen(): Promise<http.Server> {
    const server = http.createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of request) chunks.push(chunk);
      } catch {
        // The sender went away in the middle: S3 keeps no half of an object.
        return;
      }
      const url = new URL(request.url ?? '/', 'http://receiver');
      const waiting = expected.get(url.pathname);
      const problem = problemOf(request, url, waiting);
      response.writeHead(problem?.status ?? 200, { 'content-type': 'application/xml' });
      response.end(problem && `<Error><Code>${problem.code}</Code><Message>${problem.code}</Message></Error>`);
      if (problem === undefined) waiting?.onResponse(Buffer.concat(chunks));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return server;
  }

  return {
    async expect(name, onResponse) {
      listening ??= listen();
      const { port } = (await listening).address() as AddressInfo;
      const signature = randomBytes(20).toString('hex');
      const bucket = `cloudformation-custom-resource-response-${REGION.replaceAll('-', '')}`;
      const path = `/${bucket}/${encodeURIComponent(`${name}|${randomBytes(8).toString('hex')}`)}`;
      expected.set(path, { signature, onResponse });
      const expires = Math.floor(Date.now() / 1000) + 7200;
      return {
        url: `http://127.0.0.1:${port}${path}?AWSAccessKeyId=ASIACLOUDFORMATION&Expires=${expires}&Signature=${signature}`,
        // The address stays, as a presigned one does: a late answer is taken, and nobody reads it.
        forget: () => void expected.set(path, { signature, onResponse: () => {} }),
      };
    },
    async close() {
      const server = await listening;
      server?.close();
      server?.closeAllConnections();
    },
  };
}

function problemOf(
  request: http.IncomingMessage,
  url: URL,
  waiting: Expected | undefined,
): { status: number; code: string } | undefined {
  if (waiting === undefined || url.searchParams.get('Signature') !== waiting.signature) {
    return { status: 403, code: 'AccessDenied' };
  }
  if (request.method !== 'PUT' || (request.headers['content-type'] ?? '') !== '') {
    return { status: 403, code: 'SignatureDoesNotMatch' };
  }
  if (request.headers['content-length'] === undefined) return { status: 411, code: 'MissingContentLength' };
  return undefined;
}
