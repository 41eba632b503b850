import type { UpdateDocumentRequest, UpdateDocumentResult } from '@aws-sdk/client-ssm';
import type { DocumentStore } from '../documents.ts';
import type { SsmContext } from './context.ts';
import { describeDocument } from './document-description.ts';

export const updateDocument =
  ({ documents }: SsmContext) =>
  (input: UpdateDocumentRequest): UpdateDocumentResult => {
    const version = documents.update(input as Parameters<DocumentStore['update']>[0]);
    return { DocumentDescription: describeDocument(documents.get(version.name), version) };
  };
