import type { DescribeTagsInput, DescribeTagsOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancers } from '../model.ts';
import { taggedBy } from '../tagged.ts';

export const describeTags =
  (all: LoadBalancers) =>
  (input: DescribeTagsInput): DescribeTagsOutput => ({
    TagDescriptions: (input.ResourceArns ?? []).map((arn) => ({
      ResourceArn: arn,
      Tags: [...taggedBy(all, arn).tags].map(([Key, Value]) => ({ Key, Value })),
    })),
  });
