import type { ListDocumentsRequest, ListDocumentsResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import type { StoredDocument } from '../documents.ts';
import { page } from '../paging.ts';
import type { SsmContext } from './context.ts';
import { identifyDocument } from './document-description.ts';

export const listDocuments =
  ({ documents }: SsmContext) =>
  (input: ListDocumentsRequest): ListDocumentsResult => {
    const filters = input.Filters ?? [];
    const matching = documents.list().filter((document) => filters.every((filter) => matches(document, filter)));
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 1, max: 50, default: 50 });
    return {
      DocumentIdentifiers: items.map((document) => identifyDocument(document, documents.version(document.name))),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };

function matches(
  document: StoredDocument,
  { Key = '', Values = [] }: { Key?: string | undefined; Values?: string[] | undefined },
): boolean {
  switch (Key) {
    case 'Name':
      return Values.some((value) => document.name.startsWith(value));
    case 'DocumentType':
      return Values.includes(document.type);
    case 'Owner':
      return Values.some((value) => (value === 'Self') === (document.owner !== 'Amazon'));
    default:
      if (Key.startsWith('tag:')) return Values.includes(document.tags.get(Key.slice('tag:'.length)) ?? '\u0000');
      throw new ServiceError('InvalidFilterKey', `The filter key ${Key} is not supported by the rehearsal.`);
  }
}
