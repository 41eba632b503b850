/**
 * `Fn::Transform` with AWS::Include: a snippet from S3 takes the place of the transform, beside what stands there already.
 * Source: CloudFormation user guide, "AWS::Include transform" (JSON or YAML, no short tags in the snippet).
 */
import { templateError } from './errors.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { isObject, type Json, type JsonObject } from './json.ts';
import { parseText } from './template.ts';

export type GetObject = (bucket: string, key: string) => Promise<Uint8Array>;

export function hasTransform(value: Json): boolean {
  if (Array.isArray(value)) return value.some(hasTransform);
  if (!isObject(value)) return false;
  return 'Fn::Transform' in value || Object.values(value).some(hasTransform);
}

/** @param parameters what Ref means in a Location: parameters and pseudo parameters alone */
export async function include(value: Json, parameters: Scope, getObject: GetObject): Promise<Json> {
  if (Array.isArray(value)) return Promise.all(value.map((item) => include(item, parameters, getObject)));
  if (!isObject(value)) return value;
  const members = await Promise.all(
    Object.entries(value).map(async ([key, member]): Promise<[string, Json][]> => {
      if (key !== 'Fn::Transform') return [[key, await include(member, parameters, getObject)]];
      const snippets = await Promise.all(
        (Array.isArray(member) ? member : [member]).map((each) => snippet(each, parameters, getObject)),
      );
      return snippets.flatMap((each) => Object.entries(each));
    }),
  );
  return Object.fromEntries(members.flat());
}

async function snippet(transform: Json, parameters: Scope, getObject: GetObject): Promise<JsonObject> {
  if (!isObject(transform) || transform.Name !== 'AWS::Include') {
    const name = isObject(transform) ? transform.Name : transform;
    throw templateError(`No transform named ${JSON.stringify(name)} found: the rehearsal has AWS::Include alone`);
  }
  const location = isObject(transform.Parameters) ? transform.Parameters.Location : undefined;
  const resolved = String(location === undefined ? '' : resolve(location, parameters));
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(resolved) ?? [];
  if (bucket === undefined || key === undefined) {
    throw templateError(
      `Transform AWS::Include failed with: The value of parameter Location must be a valid Amazon S3 URI, not ${resolved}`,
    );
  }
  let body: Uint8Array;
  try {
    body = await getObject(bucket, key);
  } catch (error) {
    throw templateError(
      `Transform AWS::Include failed with: S3 bucket [${bucket}], key [${key}]: ${(error as Error).message}`,
    );
  }
  return parseText(Buffer.from(body).toString('utf8'), { shortTags: false });
}
