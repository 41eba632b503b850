import type { DescribeDocumentRequest, DescribeDocumentResult } from '@aws-sdk/client-ssm';
import type { SsmContext } from './context.ts';
import { describeDocument as describe } from './document-description.ts';

export const describeDocument =
  ({ documents }: SsmContext) =>
  ({ Name = '', DocumentVersion }: DescribeDocumentRequest): DescribeDocumentResult => ({
    Document: describe(documents.get(Name), documents.version(Name, DocumentVersion)),
  });
