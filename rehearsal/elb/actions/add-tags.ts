import type { AddTagsInput, AddTagsOutput } from '@aws-sdk/client-elastic-load-balancing';
import { checkTags } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

export const addTags =
  (loadBalancers: LoadBalancers) =>
  (input: AddTagsInput): AddTagsOutput => {
    const named = (input.LoadBalancerNames ?? []).map((name) => loadBalancers.get(name));
    const tags = input.Tags ?? [];
    for (const loadBalancer of named) checkTags(loadBalancer.tags, tags);
    for (const loadBalancer of named) {
      for (const { Key, Value } of tags) loadBalancer.tags.set(Key ?? '', Value ?? '');
    }
    return {};
  };
