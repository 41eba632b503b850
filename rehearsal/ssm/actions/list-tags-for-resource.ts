import type { ListTagsForResourceRequest, ListTagsForResourceResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import type { SsmContext } from './context.ts';

export const listTagsForResource =
  (context: SsmContext) =>
  ({ ResourceType, ResourceId = '' }: ListTagsForResourceRequest): ListTagsForResourceResult => ({
    TagList: [...tagsOf(context, ResourceType, ResourceId)].map(([Key, Value]) => ({ Key, Value })),
  });

export function tagsOf(context: SsmContext, type: string | undefined, id: string): ReadonlyMap<string, string> {
  if (type === 'Document') return context.documents.get(id).tags;
  if (type !== 'Parameter')
    throw new ServiceError(
      'InvalidResourceType',
      `Tags of resources of type ${type} are not supported by the rehearsal.`,
    );
  if (!context.parameters.has(id)) throw new ServiceError('InvalidResourceId', `There is no parameter ${id}.`);
  return context.parameters.tagsOf(id);
}
