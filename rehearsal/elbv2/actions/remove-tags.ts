import type { RemoveTagsInput, RemoveTagsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancers } from '../model.ts';
import { taggedBy } from '../tagged.ts';

export const removeTags =
  (all: LoadBalancers) =>
  (input: RemoveTagsInput): RemoveTagsOutput => {
    const resources = (input.ResourceArns ?? []).map((arn) => taggedBy(all, arn));
    for (const { tags } of resources) for (const key of input.TagKeys ?? []) tags.delete(key);
    return {};
  };
