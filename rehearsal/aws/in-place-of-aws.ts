/**
 * The way in for a client that knows AWS by its own names: as such a client's HTTPS proxy, the endpoint answers in the place of every host
 * below amazonaws.com. `aws cloudformation deploy` before 2.13 needs it: its upload goes to S3's name, whatever `--endpoint-url` says.
 */
import type { Server } from 'node:http';
import { createServer } from 'node:https';
import type { Certificate } from '../nodes/certificate.ts';
import { REGION } from '../world.ts';

/** For the certificate. A wildcard stands for one label (RFC 6125, 6.4.3), and a bucket's name is one more. */
export const AWS_NAMES = ['*.amazonaws.com', `*.${REGION}.amazonaws.com`, `*.s3.${REGION}.amazonaws.com`];

const AWS_HOST = /^[\w.-]+\.amazonaws\.com:443$/;

/** Lets `server` take CONNECT. @param certificate  for AWS_NAMES @returns what ends the connections that it has taken so */
export function standInPlaceOfAws(server: Server, { certificatePem, privateKeyPem }: Certificate): () => void {
  const inside = createServer({ cert: certificatePem, key: privateKeyPem }, (request, response) => {
    server.emit('request', request, response);
  });
  const connections = new Set<{ destroy(): void }>();
  server.on('connect', (request, connection, head) => {
    connections.add(connection);
    connection.on('error', () => {}).on('close', () => connections.delete(connection));
    if (!AWS_HOST.test(request.url ?? '')) {
      connection.end(
        `HTTP/1.1 403 Forbidden\r\n\r\nThe rehearsal stands for AWS alone, and ${request.url} is none of its hosts\n`,
      );
      return;
    }
    connection.write('HTTP/1.1 200 Connection established\r\n\r\n');
    if (head.length > 0) connection.unshift(head);
    inside.emit('connection', connection);
  });
  return () => {
    for (const connection of connections) connection.destroy();
  };
}
