import type { DocumentDescription, DocumentIdentifier } from '@aws-sdk/client-ssm';
import type { DocumentVersion, StoredDocument } from '../documents.ts';
import { latestOf } from '../documents.ts';
import { type JsonValue, toText } from '../json.ts';

export function describeDocument(document: StoredDocument, version: DocumentVersion): DocumentDescription {
  const { content } = version.read;
  return {
    ...identifyDocument(document, version),
    Hash: version.hash,
    HashType: 'Sha256',
    Status: 'Active',
    Description: content.description,
    Parameters: Object.entries(content.parameters ?? {}).map(([Name, { type, description, default: value }]) => ({
      Name,
      Type: type === 'StringList' ? 'StringList' : 'String',
      Description: description,
      ...(value === undefined ? {} : { DefaultValue: toText(value as JsonValue) }),
    })),
    LatestVersion: latestOf(document).version,
    DefaultVersion: document.defaultVersion,
  };
}

export function identifyDocument(document: StoredDocument, version: DocumentVersion): DocumentIdentifier {
  return {
    Name: document.name,
    DisplayName: document.displayName,
    Owner: document.owner,
    CreatedDate: version.createdAt,
    VersionName: version.versionName,
    PlatformTypes: ['Linux'],
    DocumentVersion: version.version,
    DocumentType: document.type,
    SchemaVersion: version.read.content.schemaVersion,
    DocumentFormat: version.format,
    TargetType: document.targetType,
    Tags: [...document.tags].map(([Key, Value]) => ({ Key, Value })),
  };
}
