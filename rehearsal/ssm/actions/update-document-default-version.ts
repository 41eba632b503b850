import type { UpdateDocumentDefaultVersionRequest, UpdateDocumentDefaultVersionResult } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';

export const updateDocumentDefaultVersion =
  ({ documents }: SsmContext) =>
  ({ Name = '', DocumentVersion = '' }: UpdateDocumentDefaultVersionRequest): UpdateDocumentDefaultVersionResult => {
    const version = documents.setDefaultVersion(Name, DocumentVersion);
    return { Description: { Name, DefaultVersion: version.version } };
  };
