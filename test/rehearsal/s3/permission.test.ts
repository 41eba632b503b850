import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { S3 } from '@aws-sdk/client-s3';
import { expect, test } from '@jest/globals';
import { sessionKey } from '../../../rehearsal/iam/caller.ts';
import type { Permission } from '../../../rehearsal/iam/evaluate.ts';
import { UNENFORCED } from '../../../rehearsal/iam/security.ts';
import { permissionFor } from '../../../rehearsal/s3/permission.ts';
import type { S3Request } from '../../../rehearsal/s3/request.ts';
import { createS3Service } from '../../../rehearsal/s3/service.ts';

test.each<[string, string, string, string, string]>([
  ['GET', '', '', '', 's3:ListAllMyBuckets *'],
  ['GET', 'b', '', '', 's3:ListBucket arn:aws:s3:::b'],
  ['HEAD', 'b', '', '', 's3:ListBucket arn:aws:s3:::b'],
  ['GET', 'b', '', 'location', 's3:GetBucketLocation arn:aws:s3:::b'],
  ['PUT', 'b', '', '', 's3:CreateBucket arn:aws:s3:::b'],
  ['GET', 'b', 'k/l', '', 's3:GetObject arn:aws:s3:::b/k/l'],
  ['HEAD', 'b', 'k', '', 's3:GetObject arn:aws:s3:::b/k'],
  ['PUT', 'b', 'k', '', 's3:PutObject arn:aws:s3:::b/k'],
  ['POST', 'b', 'k', 'uploads', 's3:PutObject arn:aws:s3:::b/k'],
  ['PUT', 'b', 'k', 'uploadId=1&partNumber=1', 's3:PutObject arn:aws:s3:::b/k'],
  ['DELETE', 'b', 'k', 'uploadId=1', 's3:AbortMultipartUpload arn:aws:s3:::b/k'],
  ['DELETE', 'b', 'k', '', 's3:DeleteObject arn:aws:s3:::b/k'],
])('%s /%s/%s?%s needs %s', (method, bucket, key, query, needed) => {
  const { action, resource } = permissionFor({ method, bucket, key, query: new URLSearchParams(query) } as S3Request);
  expect(`${action} ${resource}`).toBe(needed);
});

test('a session that may not is refused, as machines reach it; who did not sign may read', async () => {
  const asked: Permission[] = [];
  const s3 = createS3Service({
    security: {
      ...UNENFORCED,
      refusal: (accessKeyId, permission) => {
        asked.push(permission);
        return accessKeyId === sessionKey('web', 'i-1') ? 'not authorized to perform: s3:GetObject' : undefined;
      },
    },
  });
  const server = createServer(s3.listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await s3.putObject('artifacts', 'chat.tar.gz', Buffer.from('x'));
  const get = (accessKeyId: string) =>
    new S3({
      endpoint,
      region: 'eu-central-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey: 'any' },
    }).getObject({ Bucket: 'artifacts', Key: 'chat.tar.gz' });

  await expect(get(sessionKey('web', 'i-1'))).rejects.toMatchObject({
    name: 'AccessDenied',
    message: 'not authorized to perform: s3:GetObject',
  });
  await get('AKIAPERSON').then(({ Body }) => Body?.transformToString());
  expect(asked).toEqual(Array(2).fill({ action: 's3:GetObject', resource: 'arn:aws:s3:::artifacts/chat.tar.gz' }));
  expect((await fetch(`${endpoint}/artifacts/chat.tar.gz`)).status).toBe(200);

  server.closeAllConnections();
  server.close();
  await s3.close();
});
