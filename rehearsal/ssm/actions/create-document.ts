import type { CreateDocumentRequest, CreateDocumentResult } from '@aws-sdk/client-ssm';
import type { DocumentStore } from '../documents.ts';
import type { SsmContext } from './context.ts';
import { describeDocument } from './document-description.ts';

export const createDocument =
  ({ documents }: SsmContext) =>
  (input: CreateDocumentRequest): CreateDocumentResult => {
    const document = documents.create(input as Parameters<DocumentStore['create']>[0]);
    return { DocumentDescription: describeDocument(document, documents.version(document.name)) };
  };
