/** A client whose HTTPS proxy the endpoint is, and which knows nothing else of it. */
import http from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import tls from 'node:tls';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type AwsEndpoint, startAwsEndpoint } from '../../../rehearsal/aws/endpoint.ts';
import { AWS_NAMES } from '../../../rehearsal/aws/in-place-of-aws.ts';
import type { RawService } from '../../../rehearsal/aws/service.ts';
import { createCertificate } from '../../../rehearsal/nodes/certificate.ts';

const certificate = createCertificate(AWS_NAMES);
/** Says which host was meant. */
const echo: RawService = {
  signingName: 's3',
  takesUnsigned: () => true,
  handle: async (request, response) => {
    response.end(`${request.headers.host}${request.url}`);
  },
};

let endpoint: AwsEndpoint;
beforeEach(async () => {
  endpoint = await startAwsEndpoint({ services: [echo], certificate });
});
afterEach(() => endpoint.close());

const connect = (authority: string) =>
  new Promise<{ status: number | undefined; socket: Socket }>((resolve, reject) => {
    const { hostname: host, port } = new URL(endpoint.url);
    http
      .request({ host, port, method: 'CONNECT', path: authority })
      .on('connect', ({ statusCode }, socket: Socket) => resolve({ status: statusCode, socket }))
      .on('error', reject)
      .end();
  });

async function get(url: string): Promise<string> {
  const { hostname, pathname } = new URL(url);
  const { socket } = await connect(`${hostname}:443`);
  return new Promise((resolve, reject) => {
    https
      .get(
        {
          host: hostname,
          defaultPort: 443,
          path: pathname,
          createConnection: () => tls.connect({ socket, servername: hostname, ca: certificate.certificatePem }),
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => {
            text += chunk;
          });
          response.on('end', () => resolve(text));
        },
      )
      .on('error', reject);
  });
}

test.each([
  'https://s3.eu-central-1.amazonaws.com/bucket/key',
  'https://bucket.s3.eu-central-1.amazonaws.com/key',
  'https://cloudformation.eu-central-1.amazonaws.com/',
  'https://iam.amazonaws.com/',
])('%s is answered by the endpoint, under a certificate of that name', async (url) => {
  expect(`https://${await get(url)}`).toBe(url);
});

test.each(['registry.example:443', 'amazonaws.com.example:443', 's3.eu-central-1.amazonaws.com:80'])(
  '%s is none of AWS’s hosts, and refused',
  async (authority) => {
    const { status, socket } = await connect(authority);
    expect(status).toBe(403);
    socket.destroy();
  },
);

test('ends with connections that are open', async () => {
  const { socket } = await connect('ssm.eu-central-1.amazonaws.com:443');
  const closed = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve));
  await endpoint.close();
  await closed;
});

test('without a certificate it is no proxy', async () => {
  const plain = await startAwsEndpoint({ services: [echo] });
  const port = Number(new URL(plain.url).port);
  const ended = new Promise((resolve) => {
    http
      .request({ port, method: 'CONNECT', path: 's3.eu-central-1.amazonaws.com:443' })
      .on('connect', () => resolve('taken'))
      .on('error', () => resolve('refused'))
      .end();
  });
  expect(await ended).toBe('refused');
  await plain.close();
});
