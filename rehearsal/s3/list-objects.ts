/** ListObjectsV2, and ListObjects as far as they are the same. Source: Amazon S3 API reference, ListObjectsV2. */
import type { StoredObject } from './object-store.ts';
import { element, S3_NAMESPACE } from './xml.ts';

/** @param objects  all of the bucket, in the order of their keys */
export function listObjectsPage(objects: readonly StoredObject[], bucket: string, query: URLSearchParams): string {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const most = Math.min(1000, Number(query.get('max-keys') ?? 1000));
  const token = query.get('continuation-token');
  const after =
    token === null
      ? (query.get('start-after') ?? query.get('marker') ?? '')
      : Buffer.from(token, 'base64url').toString();
  const encode = query.get('encoding-type') === 'url' ? encodeKey : (key: string) => key;

  const contents: StoredObject[] = [];
  const prefixes = new Set<string>();
  let last = '';
  let isTruncated = false;
  for (const object of objects) {
    if (!object.key.startsWith(prefix) || object.key <= after) continue;
    const cut = delimiter === '' ? -1 : object.key.indexOf(delimiter, prefix.length);
    const group = cut < 0 ? undefined : object.key.slice(0, cut + delimiter.length);
    // A page may end with a group; its other keys are not begun again on the next.
    if (group !== undefined && (prefixes.has(group) || after.startsWith(group))) continue;
    if (contents.length + prefixes.size >= most) {
      isTruncated = true;
      break;
    }
    if (group === undefined) contents.push(object);
    else prefixes.add(group);
    last = object.key;
  }
  const parts = [
    element('Name', bucket, 'text'),
    element('Prefix', encode(prefix), 'text'),
    delimiter === '' ? '' : element('Delimiter', encode(delimiter), 'text'),
    element('MaxKeys', most),
    query.get('encoding-type') === 'url' ? element('EncodingType', 'url') : '',
    element('KeyCount', contents.length + prefixes.size),
    element('IsTruncated', isTruncated),
    token === null ? '' : element('ContinuationToken', token, 'text'),
    isTruncated ? element('NextContinuationToken', Buffer.from(last).toString('base64url')) : '',
    ...contents.map((object) =>
      element(
        'Contents',
        [
          element('Key', encode(object.key), 'text'),
          element('LastModified', object.modifiedAt.toISOString()),
          element('ETag', object.etag, 'text'),
          element('Size', object.size),
          element('StorageClass', 'STANDARD'),
        ].join(''),
      ),
    ),
    ...[...prefixes].map((group) => element('CommonPrefixes', element('Prefix', encode(group), 'text'))),
  ];
  return `<ListBucketResult xmlns="${S3_NAMESPACE}">${parts.join('')}</ListBucketResult>`;
}

const encodeKey = (key: string): string => encodeURIComponent(key).replaceAll('%2F', '/');
