/** The shipped template as data, its includes put in. */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type CollectionTag, parse, type ScalarTag } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default?: unknown; readonly Description?: string }>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Type: string;
        readonly Condition?: string;
        readonly DependsOn?: readonly string[];
        readonly Properties: Record<string, unknown>;
      }
    >
  >;
  readonly Outputs: Readonly<Record<string, unknown>>;
  readonly Metadata: {
    readonly 'AWS::CloudFormation::Interface': {
      readonly ParameterGroups: readonly { readonly Parameters: readonly string[] }[];
    };
  };
}

const scalar = (tag: string, key: string): ScalarTag => ({
  tag: `!${tag}`,
  resolve: (text) => ({ [key]: tag === 'GetAtt' ? text.split('.') : text }) as unknown as string,
});

const sequence = (name: string): CollectionTag => ({
  tag: `!${name}`,
  collection: 'seq',
  resolve: (items) => ({ [`Fn::${name}`]: items.toJSON() }) as never,
});

/** YAML 1.1, as CloudFormation reads it. */
const parseYaml = (path: string): unknown =>
  parse(readFileSync(path, 'utf8'), {
    version: '1.1',
    customTags: [
      scalar('Ref', 'Ref'),
      scalar('Sub', 'Fn::Sub'),
      scalar('GetAtt', 'Fn::GetAtt'),
      ...['Equals', 'And', 'If', 'Sub'].map(sequence),
    ],
  });

export function readTemplate(): Template {
  const path = join(root, 'cloudformation/proxy-protocol.yaml');
  return putIncludesIn(parseYaml(path), dirname(path)) as Template;
}

function putIncludesIn(node: unknown, folder: string): unknown {
  if (Array.isArray(node)) return node.map((each) => putIncludesIn(each, folder));
  if (node === null || typeof node !== 'object') return node;
  const transform = (node as Record<string, { Name?: string; Parameters?: { Location: string } }>)['Fn::Transform'];
  if (transform?.Name === 'AWS::Include' && transform.Parameters !== undefined) {
    return parseYaml(join(folder, transform.Parameters.Location));
  }
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, putIncludesIn(value, folder)]));
}
