import type { GetDocumentRequest, GetDocumentResult } from '@aws-sdk/client-ssm';
import { stringify } from 'yaml';
import { validationError } from '../errors.ts';
import type { SsmContext } from './context.ts';

/** The content as it was given, unless another format is asked for. */
export const getDocument =
  ({ documents }: SsmContext) =>
  ({ Name = '', DocumentVersion, DocumentFormat }: GetDocumentRequest): GetDocumentResult => {
    const document = documents.get(Name);
    const version = documents.version(Name, DocumentVersion);
    const format = DocumentFormat ?? version.format;
    if (format !== 'JSON' && format !== 'YAML') throw validationError(`DocumentFormat ${format} is not supported.`);
    const { content } = version.read;
    const converted = () => (format === 'JSON' ? JSON.stringify(content, undefined, 2) : stringify(content));
    return {
      Name: document.name,
      DisplayName: document.displayName,
      CreatedDate: version.createdAt,
      VersionName: version.versionName,
      DocumentVersion: version.version,
      Status: 'Active',
      Content: format === version.format ? version.text : converted(),
      DocumentType: document.type,
      DocumentFormat: format,
    };
  };
