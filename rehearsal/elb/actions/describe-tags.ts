import type { DescribeTagsInput, DescribeTagsOutput } from '@aws-sdk/client-elastic-load-balancing';
import type { LoadBalancers } from '../model.ts';

export const describeTags =
  (loadBalancers: LoadBalancers) =>
  (input: DescribeTagsInput): DescribeTagsOutput => ({
    TagDescriptions: (input.LoadBalancerNames ?? [])
      .map((name) => loadBalancers.get(name))
      .map(({ name, tags }) => ({
        LoadBalancerName: name,
        Tags: [...tags].map(([Key, Value]) => ({ Key, Value })),
      })),
  });
