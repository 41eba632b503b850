/** The shipped templates as data: what they include is put in, functions stand in their long forms. */
import { assembledTemplates } from '../../tools/build-documents.mjs';

export interface Resource {
  readonly Type: string;
  readonly Condition?: string;
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
  readonly UpdateReplacePolicy?: string;
  readonly Properties: Record<string, unknown>;
}

export interface Template {
  readonly Parameters: Readonly<Record<string, { readonly Default?: unknown; readonly Description?: string }>>;
  readonly Conditions: Readonly<Record<string, unknown>>;
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, unknown>>;
  readonly Metadata: {
    readonly 'AWS::CloudFormation::Interface': {
      readonly ParameterGroups: readonly { readonly Parameters: readonly string[] }[];
    };
  };
}

/** By file name. */
export function readTemplates(): Readonly<Record<string, Template>> {
  return assembledTemplates() as Record<string, Template>;
}

/** The product's. */
export function readTemplate(): Template {
  const template = readTemplates()['proxy-protocol.yaml'];
  if (template === undefined) throw new Error('cloudformation/proxy-protocol.yaml is not there');
  return template;
}
