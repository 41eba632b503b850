import type { DeleteDocumentRequest } from '@aws-sdk/client-ssm';
import { validationError } from '../errors.ts';
import type { SsmContext } from './context.ts';

export const deleteDocument =
  ({ documents }: SsmContext) =>
  ({ Name = '', DocumentVersion, VersionName }: DeleteDocumentRequest): object => {
    if (DocumentVersion !== undefined || VersionName !== undefined)
      throw validationError('Deleting one version of a document is not supported by the rehearsal.');
    documents.delete(Name);
    return {};
  };
