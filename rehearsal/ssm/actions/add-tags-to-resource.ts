import type { AddTagsToResourceRequest } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import type { SsmContext } from './context.ts';
import { tagsOf } from './list-tags-for-resource.ts';

export const addTagsToResource =
  (context: SsmContext) =>
  ({ ResourceType, ResourceId = '', Tags = [] }: AddTagsToResourceRequest): object => {
    const tags = Tags.map(({ Key = '', Value = '' }) => ({ Key, Value }));
    if (new Set([...tagsOf(context, ResourceType, ResourceId).keys(), ...tags.map(({ Key }) => Key)]).size > 50)
      throw new ServiceError('TooManyTagsError', 'The resource would have more than 50 tags.');
    if (ResourceType === 'Parameter') context.parameters.tag(ResourceId, tags);
    else for (const { Key, Value } of tags) context.documents.get(ResourceId).tags.set(Key, Value);
    return {};
  };
