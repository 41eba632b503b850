/** A built template made ready for one bucket: what `aws cloudformation package` does for a template's local files. */
import { createHash } from 'node:crypto';
import { parseDocument } from 'yaml';
import { ProxyflipError } from '../functions/shared/errors.ts';

export interface PackagedTemplate {
  /** `proxy-protocol` of proxy-protocol.yaml. */
  readonly name: string;
  readonly text: string;
  /** In the bucket, behind the prefix. */
  readonly key: string;
  /** As CloudFormation takes it for TemplateURL. */
  readonly url: string;
}

export interface Place {
  readonly bucket: string;
  /** Empty, or ends in a slash. */
  readonly prefix: string;
  readonly region: string;
}

/**
 * The named template and, before it, those that it nests by a relative `TemplateURL: other.yaml`.
 *
 * @param read  the text of a built template by its name
 */
export function packageTemplate(name: string, read: (name: string) => string, place: Place): PackagedTemplate[] {
  const document = parseDocument(read(name), { version: '1.1' });
  for (const [parameter, value] of Object.entries({ ArtifactBucket: place.bucket, ArtifactPrefix: place.prefix })) {
    if (document.hasIn(['Parameters', parameter])) document.setIn(['Parameters', parameter, 'Default'], value);
  }
  const nested = new Map<string, PackagedTemplate[]>();
  for (const { id, file } of nestedTemplates(document.toJS())) {
    const packaged = nested.get(file) ?? packageTemplate(file.replace(/\.yaml$/, ''), read, place);
    nested.set(file, packaged);
    document.setIn(['Resources', id, 'Properties', 'TemplateURL'], packaged.at(-1)?.url);
  }
  const text = document.toString({ lineWidth: 0 });
  const key = `templates/${name}-${createHash('sha256').update(text).digest('hex')}.yaml`;
  return [...[...nested.values()].flat(), { name, text, key, url: objectUrl(place, key) }];
}

function nestedTemplates(template: unknown): { id: string; file: string }[] {
  const { Resources = {} } = template as { Resources?: Record<string, { Type?: string; Properties?: object }> };
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const { TemplateURL: url } = (Properties ?? {}) as { TemplateURL?: unknown };
    if (Type !== 'AWS::CloudFormation::Stack' || typeof url !== 'string' || url.includes('://')) return [];
    if (/^[a-z0-9-]+\.yaml$/.test(url)) return [{ id, file: url }];
    throw new ProxyflipError(
      'ERR_NO_TEMPLATE',
      `${id} has TemplateURL ${url}: a file beside the template, or an address.`,
    );
  });
}

/** By path, as `aws cloudformation package` writes it: a bucket's name may hold dots, which no certificate covers as a host. */
function objectUrl({ bucket, prefix, region }: Place, key: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://s3.${region}.${suffix}/${bucket}/${prefix}${key}`;
}
