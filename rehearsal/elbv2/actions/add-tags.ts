import type { AddTagsInput, AddTagsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { tagsOf } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';
import { taggedBy } from '../tagged.ts';

export const addTags =
  (all: LoadBalancers) =>
  (input: AddTagsInput): AddTagsOutput => {
    const resources = (input.ResourceArns ?? []).map((arn) => taggedBy(all, arn));
    const after = resources.map(({ tags }) => tagsOf(tags, input.Tags));
    for (const [index, { tags }] of resources.entries()) {
      for (const [key, value] of after[index] ?? []) tags.set(key, value);
    }
    return {};
  };
