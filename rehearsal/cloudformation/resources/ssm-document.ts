import { isSame, type JsonObject } from '../json.ts';
import { HandlerFailure } from '../resource-operations.ts';
import type { ResourceContext, ResourceType } from '../resource-type.ts';
import { defined, tagMap, text } from './properties.ts';

/**
 * The default UpdateMethod is Replace: any change makes a new document, which fails where the Name is fixed, since the old
 * one still has it. Source: AWS::SSM::Document, "UpdateMethod".
 */
export const ssmDocument: ResourceType = {
  name: 'AWS::SSM::Document',
  properties: [
    'Content',
    'Name',
    'DocumentType',
    'DocumentFormat',
    'TargetType',
    'VersionName',
    'UpdateMethod',
    'Requires',
    'Tags',
  ],
  required: ['Content'],
  replacedBy: ['Name', 'DocumentType'],
  attributes: [],
  requiresReplacement: (before, after) => after.UpdateMethod !== 'NewVersion' && hasNewContent(before, after),

  async create(properties, context) {
    const name = text(properties.Name) ?? context.generateName(128);
    await context.call('ssm', 'CreateDocument', {
      Name: name,
      ...version(properties),
      ...defined({
        DocumentType: text(properties.DocumentType) ?? 'Command',
        Requires: properties.Requires,
      }),
      Tags: Object.entries(tagMap(properties.Tags, context.tags)).map(([Key, Value]) => ({ Key, Value })),
    });
    return { physicalResourceId: name, attributes: {} };
  },

  async update({ physicalResourceId, properties: before }, properties, context) {
    if (hasNewContent(before, properties)) {
      const updated = (await context.call('ssm', 'UpdateDocument', {
        Name: physicalResourceId,
        DocumentVersion: '$LATEST',
        ...version(properties),
      })) as { DocumentDescription?: { DocumentVersion?: string } };
      await setDefault(physicalResourceId, updated.DocumentDescription?.DocumentVersion, context);
    }
    return { physicalResourceId, attributes: {} };
  },

  async delete({ physicalResourceId }, context) {
    await context.call('ssm', 'DeleteDocument', { Name: physicalResourceId }).catch((error) => {
      if (!(error instanceof HandlerFailure && error.code === 'InvalidDocument')) throw error;
    });
  },
};

function hasNewContent(before: JsonObject, after: JsonObject): boolean {
  return ['Content', 'DocumentFormat', 'TargetType', 'VersionName', 'Requires'].some(
    (name) => !isSame(before[name] ?? null, after[name] ?? null),
  );
}

function version({ Content: content, ...properties }: JsonObject): Record<string, unknown> {
  return defined({
    Content: typeof content === 'string' ? content : JSON.stringify(content),
    DocumentFormat: typeof content === 'string' ? (text(properties.DocumentFormat) ?? 'JSON') : 'JSON',
    TargetType: text(properties.TargetType),
    VersionName: text(properties.VersionName),
  });
}

async function setDefault(name: string, documentVersion: string | undefined, context: ResourceContext): Promise<void> {
  if (documentVersion === undefined) return;
  await context.call('ssm', 'UpdateDocumentDefaultVersion', { Name: name, DocumentVersion: documentVersion });
}
