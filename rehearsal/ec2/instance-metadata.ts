/**
 * The instance metadata service, version 2: what an instance is told about itself, its role's credentials above all.
 *
 * Source: EC2 user guide, "Access instance metadata for an EC2 instance", "Instance metadata categories", "Retrieve security
 * credentials from instance metadata". A request without a token gets 401, as with HttpTokens required; tokens do not expire.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type Socket, type Server as TcpServer } from 'node:net';
import { ACCOUNT_ID, type Instance, REGION } from '../world.ts';

/** Credentials as the service hands them out; undefined: the instance has no role, or one that EC2 may not assume. */
export interface InstanceCredentials {
  readonly roleName: string;
  readonly accessKeyId: string;
}

export interface InstanceMetadataOptions {
  /** By the address that the request came from, which no instance chooses. */
  readonly instanceAt: (privateIpAddress: string) => Instance | undefined;
  readonly credentialsOf: (instanceId: string) => InstanceCredentials | undefined;
}

const CREDENTIAL_SECONDS = 6 * 3600;
const TOKEN = 'x-aws-ec2-metadata-token';

/** For a unix socket behind the gateway, which writes the peer's address before the first byte (`peer-address` in gateway.ts). */
export function createInstanceMetadata(options: InstanceMetadataOptions): TcpServer {
  const token = randomBytes(16).toString('base64');
  const peers = new WeakMap<Socket, string>();
  const http: Server = createServer((request, response) => {
    const instance = options.instanceAt(peers.get(request.socket) ?? '');
    const answer = (statusCode: number, body = ''): void =>
      void response.writeHead(statusCode, { 'content-type': 'text/plain', server: 'EC2ws' }).end(body);
    const path = new URL(request.url ?? '/', 'http://metadata').pathname.replace(/\/$/, '');
    if (instance === undefined) return answer(404);
    if (path === '/latest/api/token') return request.method === 'PUT' ? answer(200, token) : answer(405);
    if (request.headers[TOKEN] !== token) return answer(401);
    const found = metadata(path, instance, options.credentialsOf(instance.instanceId));
    return found === undefined ? answer(404) : answer(200, found);
  });
  const tcp = createTcpServer((socket) => {
    socket.once('data', (chunk: Buffer) => {
      const end = chunk.indexOf('\n');
      peers.set(socket, chunk.subarray(0, end).toString());
      socket.unshift(chunk.subarray(end + 1));
      http.emit('connection', socket);
    });
    socket.on('error', () => {});
  });
  return tcp;
}

function metadata(path: string, instance: Instance, credentials: InstanceCredentials | undefined): string | undefined {
  const roles = '/latest/meta-data/iam/security-credentials';
  switch (path) {
    case '/latest/meta-data/instance-id':
      return instance.instanceId;
    case '/latest/meta-data/local-ipv4':
      return instance.privateIpAddress;
    case '/latest/meta-data/placement/region':
      return REGION;
    case '/latest/meta-data/placement/availability-zone':
      return instance.availabilityZone;
    case '/latest/dynamic/instance-identity/document':
      return JSON.stringify({ accountId: ACCOUNT_ID, instanceId: instance.instanceId, region: REGION });
    case roles:
      return credentials?.roleName;
    default:
      return credentials !== undefined && path === `${roles}/${credentials.roleName}` ? inFull(credentials) : undefined;
  }
}

function inFull({ accessKeyId }: InstanceCredentials): string {
  const now = Date.now();
  return JSON.stringify({
    Code: 'Success',
    LastUpdated: new Date(now).toISOString(),
    Type: 'AWS-HMAC',
    AccessKeyId: accessKeyId,
    SecretAccessKey: 'rehearsal',
    Token: 'rehearsal',
    Expiration: new Date(now + CREDENTIAL_SECONDS * 1000).toISOString(),
  });
}
