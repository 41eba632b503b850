import { HeadBucketCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { requireBucket, upload } from '../../deploy/bucket.ts';

const client = new S3Client({ region: 'eu-central-1' });
const mock = mockClient(client);

const refusal = (status: number, region?: string): Error =>
  Object.assign(new Error(String(status)), {
    name: status === 404 ? 'NotFound' : String(status),
    $metadata: { httpStatusCode: status },
    $response: { headers: region === undefined ? {} : { 'x-amz-bucket-region': region } },
  });

beforeEach(() => {
  mock.reset();
});

describe('the bucket', () => {
  test('in the stack’s Region will do', async () => {
    mock.on(HeadBucketCommand).resolves({ BucketRegion: 'eu-central-1' });
    await expect(requireBucket(client, 'b', 'eu-central-1')).resolves.toBeUndefined();
  });

  test.each([
    [404, undefined, 'there is no bucket b. Make it and run again: aws s3 mb s3://b --region eu-central-1'],
    [403, 'eu-central-1', 'these credentials may not look into the bucket b (403)'],
    // S3 answers another Region's bucket by a redirect, or as a bad request: "region is wrong".
    [301, 'us-east-1', 'the bucket b is in us-east-1, and the stack will be in eu-central-1'],
    [400, 'us-east-1', 'the bucket b is in us-east-1, and the stack will be in eu-central-1'],
    [403, 'us-east-1', 'the bucket b is in us-east-1, and the stack will be in eu-central-1'],
  ])('that is answered by %s, Region %s, is refused with the way out', async (status, region, words) => {
    mock.on(HeadBucketCommand).rejects(refusal(status, region));
    await expect(requireBucket(client, 'b', 'eu-central-1')).rejects.toThrow(`ERR_BUCKET: ${words}`);
  });

  test.each([400, 500])('that is answered by %s otherwise is no bucket of another Region', async (status) => {
    mock.on(HeadBucketCommand).rejects(refusal(status));
    await expect(requireBucket(client, 'b', 'eu-central-1')).rejects.not.toThrow('ERR_BUCKET');
  });
});

describe('an upload', () => {
  const body = Buffer.from('12345');
  const content = { key: 'k', bytes: 5, read: async () => body };

  test('sends nothing that is there in its whole length', async () => {
    mock.on(HeadObjectCommand).resolves({ ContentLength: 5 });
    expect(await upload(client, 'b', content)).toBe(false);
    expect(mock.commandCalls(PutObjectCommand)).toHaveLength(0);
  });

  test.each(['NotFound', '403', 'Forbidden'])('sends what is answered by %s', async (name) => {
    mock.on(HeadObjectCommand).rejects(Object.assign(new Error(), { name }));
    expect(await upload(client, 'b', content)).toBe(true);
    expect(mock.commandCalls(PutObjectCommand)[0]?.args[0].input).toEqual({ Bucket: 'b', Key: 'k', Body: body });
  });

  test('sends what is there in another length', async () => {
    mock.on(HeadObjectCommand).resolves({ ContentLength: 4 });
    expect(await upload(client, 'b', content)).toBe(true);
  });

  test('does not take another failure for a missing object', async () => {
    mock.on(HeadObjectCommand).rejects(Object.assign(new Error('slow down'), { name: 'SlowDown' }));
    await expect(upload(client, 'b', content)).rejects.toThrow('slow down');
  });
});
