import type { RemoveTagsInput, RemoveTagsOutput } from '@aws-sdk/client-elastic-load-balancing';
import type { LoadBalancers } from '../model.ts';

export const removeTags =
  (loadBalancers: LoadBalancers) =>
  (input: RemoveTagsInput): RemoveTagsOutput => {
    const named = (input.LoadBalancerNames ?? []).map((name) => loadBalancers.get(name));
    for (const loadBalancer of named) {
      for (const { Key } of input.Tags ?? []) loadBalancer.tags.delete(Key ?? '');
    }
    return {};
  };
