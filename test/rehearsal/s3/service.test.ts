import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createS3Service, type S3Service } from '../../../rehearsal/s3/service.ts';

let s3: S3Service;
let server: Server;
let url: string;

beforeAll(async () => {
  s3 = createS3Service();
  server = createServer(s3.listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  await fetch(`${url}/bucket`, { method: 'PUT' });
});

afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await s3.close();
});

const md5 = (body: string | Buffer) => `"${createHash('md5').update(body).digest('hex')}"`;

/** As the SDKs send it when the checksum comes after the body. */
const chunked = (chunks: string[], trailers: string[] = []) =>
  [
    ...chunks.map((chunk) => `${chunk.length.toString(16)};chunk-signature=00\r\n${chunk}\r\n`),
    '0\r\n',
    ...trailers.map((each) => `${each}\r\n`),
    '\r\n',
  ].join('');

describe('an object', () => {
  test('is answered as it was put, with its MD5 as ETag', async () => {
    const put = await fetch(`${url}/bucket/a/b%20c.txt`, {
      method: 'PUT',
      body: 'hello',
      headers: { 'Content-Type': 'text/plain', 'x-amz-meta-who': 'me' },
    });
    expect([put.status, put.headers.get('etag')]).toEqual([200, md5('hello')]);
    const get = await fetch(`${url}/bucket/a/b%20c.txt`);
    expect([get.status, await get.text(), get.headers.get('content-type'), get.headers.get('x-amz-meta-who')]).toEqual([
      200,
      'hello',
      'text/plain',
      'me',
    ]);
    const head = await fetch(`${url}/bucket/a/b%20c.txt`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '5']);
  });

  test('of 3 MB comes back whole from its file, and in ranges', async () => {
    const body = Buffer.from(Array.from({ length: 3 * 2 ** 20 }, (_, index) => index % 251));
    const put = await fetch(`${url}/bucket/large`, { method: 'PUT', body });
    expect(put.headers.get('etag')).toBe(md5(body));
    expect(md5(Buffer.from(await (await fetch(`${url}/bucket/large`)).arrayBuffer()))).toBe(md5(body));
    const part = await fetch(`${url}/bucket/large`, { headers: { Range: 'bytes=1048576-1048579' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 1048576-1048579/${body.length}`]);
    expect(Buffer.from(await part.arrayBuffer())).toEqual(body.subarray(1048576, 1048580));
  });

  test('that is gone answers NoSuchKey', async () => {
    await fetch(`${url}/bucket/gone`, { method: 'PUT', body: 'x' });
    expect((await fetch(`${url}/bucket/gone`, { method: 'DELETE' })).status).toBe(204);
    const get = await fetch(`${url}/bucket/gone`);
    expect([get.status, await get.text()]).toEqual([404, expect.stringContaining('<Code>NoSuchKey</Code>')]);
  });
});

describe('a chunked body', () => {
  const headers = { 'Content-Encoding': 'aws-chunked', 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' };
  const sha256 = createHash('sha256').update('hello world').digest('base64');

  test.each([
    ['is stored without its framing', chunked(['hello ', 'world']), 200],
    [
      'is taken with the right checksum in its trailer',
      chunked(['hello world'], [`x-amz-checksum-sha256:${sha256}`]),
      200,
    ],
    ['is refused with a wrong checksum', chunked(['hello worlds'], [`x-amz-checksum-sha256:${sha256}`]), 400],
    ['is refused when it breaks off', 'b\r\nhello', 400],
    ['is refused when a chunk is longer than it says', '2\r\nhello\r\n0\r\n\r\n', 400],
  ])('%s', async (desc, body, status) => {
    const key = `${url}/bucket/${encodeURIComponent(desc)}`;
    const put = await fetch(key, { method: 'PUT', body, headers });
    expect(put.status).toBe(status);
    const get = await fetch(key);
    expect([get.status, status === 200 ? await get.text() : '']).toEqual(
      status === 200 ? [200, 'hello world'] : [404, ''],
    );
  });

  test('that differs from x-amz-decoded-content-length is refused', async () => {
    const put = await fetch(`${url}/bucket/short`, {
      method: 'PUT',
      body: chunked(['hello']),
      headers: { ...headers, 'x-amz-decoded-content-length': '6' },
    });
    expect([put.status, await put.text()]).toEqual([400, expect.stringContaining('IncompleteBody')]);
  });
});

test('a presigned PUT to the bucket of custom resources is stored, and told of', async () => {
  const puts: string[] = [];
  const stop = s3.onPut((bucket, key) => puts.push(`${bucket}/${key}`));
  const path = '/cloudformation-custom-resource-response-eucentral1/arn%3Aaws%3Acloudformation%7Cid';
  const put = await fetch(`${url}${path}?X-Amz-Signature=abc&X-Amz-Expires=7200`, {
    method: 'PUT',
    body: '{"Status":"SUCCESS"}',
  });
  stop();
  expect(put.status).toBe(200);
  expect(puts).toEqual(['cloudformation-custom-resource-response-eucentral1/arn:aws:cloudformation|id']);
  expect(
    String(await s3.getObject('cloudformation-custom-resource-response-eucentral1', 'arn:aws:cloudformation|id')),
  ).toBe('{"Status":"SUCCESS"}');
});

describe('an upload in parts', () => {
  const begin = async (key: string) =>
    (
      await (
        await fetch(`${url}/bucket/${key}?uploads`, { method: 'POST', headers: { 'Content-Type': 'text/plain' } })
      ).text()
    ).match(/<UploadId>(.*)<\/UploadId>/)?.[1];
  const part = async (key: string, id: string | undefined, number: number, body: string) =>
    (await fetch(`${url}/bucket/${key}?partNumber=${number}&uploadId=${id}`, { method: 'PUT', body })).headers.get(
      'etag',
    );
  const complete = (key: string, id: string | undefined, parts: [number, string | null][]) =>
    fetch(`${url}/bucket/${key}?uploadId=${id}`, {
      method: 'POST',
      body: `<CompleteMultipartUpload>${parts.map(([number, etag]) => `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag></Part>`).join('')}</CompleteMultipartUpload>`,
    });

  test('is joined in the order of its parts, not of their arrival', async () => {
    const id = await begin('joined');
    const second = await part('joined', id, 2, 'world');
    const first = await part('joined', id, 1, 'hello ');
    expect((await fetch(`${url}/bucket/joined`)).status).toBe(404);
    const answer = await complete('joined', id, [
      [1, first],
      [2, second],
    ]);
    expect([answer.status, await answer.text()]).toEqual([
      200,
      expect.stringMatching(/<ETag>&quot;[0-9a-f]{32}-2&quot;<\/ETag>/),
    ]);
    const get = await fetch(`${url}/bucket/joined`);
    expect([await get.text(), get.headers.get('content-type')]).toEqual(['hello world', 'text/plain']);
  });

  test('cannot be had part by part', async () => {
    const id = await begin('secret');
    await part('secret', id, 1, 'hello');
    expect((await fetch(`${url}/%2Fparts/${id}/1`)).status).toBe(404);
  });

  test('with a part that was not uploaded is refused', async () => {
    const id = await begin('missing');
    const first = await part('missing', id, 1, 'hello');
    const answer = await complete('missing', id, [
      [1, first],
      [2, first],
    ]);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('<Code>InvalidPart</Code>')]);
  });
});

describe('ListObjectsV2', () => {
  const page = async (query: string) => {
    const body = await (await fetch(`${url}/listed?list-type=2&${query}`)).text();
    const all = (name: string) =>
      [...body.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map((match) => match[1]);
    return { keys: all('Key'), prefixes: all('Prefix').slice(1), token: all('NextContinuationToken')[0] };
  };

  beforeAll(async () => {
    for (const key of ['a/1', 'a/2', 'b', 'c/1', 'd']) await s3.putObject('listed', key, Buffer.from(key));
  });

  test('gathers the keys below a delimiter', async () => {
    expect(await page('delimiter=/')).toMatchObject({ keys: ['b', 'd'], prefixes: ['a/', 'c/'] });
    expect(await page('prefix=a/&delimiter=/')).toMatchObject({ keys: ['a/1', 'a/2'], prefixes: [] });
  });

  test('pages of one give every group and key once', async () => {
    const seen: unknown[] = [];
    let token: string | undefined;
    do {
      const next = await page(`delimiter=/&max-keys=1${token ? `&continuation-token=${token}` : ''}`);
      seen.push(...next.prefixes, ...next.keys);
      token = next.token;
    } while (token);
    expect(seen).toEqual(['a/', 'b', 'c/', 'd']);
  });
});

test.each([
  ['PUT', '/bucket/x?tagging', 501, 'NotImplemented'],
  ['PUT', '/bucket/x?uploadId=none&partNumber=1', 404, 'NoSuchUpload'],
  ['PUT', '/missing/x', 404, 'NoSuchBucket'],
  ['PUT', '/bucket', 409, 'BucketAlreadyOwnedByYou'],
  ['DELETE', '/bucket', 409, 'BucketNotEmpty'],
  ['PUT', '/NotABucket', 400, 'InvalidBucketName'],
])('%s %s is refused: %d %s', async (method, path, status, code) => {
  const answer = await fetch(`${url}${path}`, { method, ...(method === 'PUT' ? { body: 'x' } : {}) });
  expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(`<Code>${code}</Code>`)]);
});
