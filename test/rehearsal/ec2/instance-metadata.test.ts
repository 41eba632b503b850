import { connect, createServer, type Server } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { createInstanceMetadata } from '../../../rehearsal/ec2/instance-metadata.ts';
import type { Instance } from '../../../rehearsal/world.ts';

const INSTANCE = {
  instanceId: 'i-0123456789abcdef0',
  privateIpAddress: '10.0.1.11',
  availabilityZone: 'eu-central-1a',
} as Instance;

let service: ReturnType<typeof createInstanceMetadata>;
let gateway: Server;
let url: string;
let peer: string;

/** As the gateway does it: the address that a connection came from, before its first byte. */
beforeEach(async () => {
  peer = INSTANCE.privateIpAddress;
  service = createInstanceMetadata({
    instanceAt: (address) => (address === INSTANCE.privateIpAddress ? INSTANCE : undefined),
    credentialsOf: () => ({ roleName: 'web', accessKeyId: 'ASIA:web:i-0123456789abcdef0' }),
  });
  await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
  gateway = createServer((inside) => {
    const outside = connect((service.address() as { port: number }).port, '127.0.0.1');
    outside.write(`${peer}\n`);
    inside.pipe(outside).pipe(inside);
  });
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(gateway.address() as { port: number }).port}/latest`;
});
afterEach(() => {
  gateway.close();
  service.close();
});

const get = async (path: string, init: RequestInit = {}) => {
  const response = await fetch(`${url}/${path}`, { ...init, headers: { ...init.headers, connection: 'close' } });
  return { status: response.status, text: await response.text() };
};
const withToken = async (path: string) => {
  const { text } = await get('api/token', { method: 'PUT' });
  return get(path, { headers: { 'x-aws-ec2-metadata-token': text } });
};

describe('the metadata service', () => {
  test('answers nothing without a token', async () => {
    expect(await get('meta-data/instance-id')).toMatchObject({ status: 401 });
    expect(await get('api/token')).toMatchObject({ status: 405 });
  });

  test('tells an instance who it is, and gives it the credentials of its role', async () => {
    expect(await withToken('meta-data/instance-id')).toEqual({ status: 200, text: INSTANCE.instanceId });
    expect(await withToken('meta-data/placement/region')).toEqual({ status: 200, text: 'eu-central-1' });
    expect(await withToken('meta-data/iam/security-credentials/')).toEqual({ status: 200, text: 'web' });
    expect(JSON.parse((await withToken('meta-data/iam/security-credentials/web')).text)).toMatchObject({
      Code: 'Success',
      AccessKeyId: 'ASIA:web:i-0123456789abcdef0',
    });
  });

  test('knows nothing else, and nobody else', async () => {
    expect(await withToken('meta-data/iam/security-credentials/other')).toMatchObject({ status: 404 });
    expect(await withToken('user-data')).toMatchObject({ status: 404 });
    peer = '10.0.1.99';
    expect(await get('api/token', { method: 'PUT' })).toMatchObject({ status: 404 });
  });
});
