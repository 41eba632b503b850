import type { DescribeTagsInput, DescribeTagsOutput } from '@aws-sdk/client-elastic-load-balancing';
import { validationError } from '../checks.ts';
import type { LoadBalancers } from '../model.ts';

/** Source: API reference, DescribeTags, LoadBalancerNames: "Minimum number of 1 item. Maximum number of 20 items." */
const MAX_NAMES = 20;

export const describeTags =
  (loadBalancers: LoadBalancers) =>
  ({ LoadBalancerNames: names = [] }: DescribeTagsInput): DescribeTagsOutput => {
    if (names.length < 1 || names.length > MAX_NAMES) {
      throw validationError(
        `1 validation error detected: Value at 'loadBalancerNames' failed to satisfy constraint: Member must have length between 1 and ${MAX_NAMES}`,
      );
    }
    return {
      TagDescriptions: names
        .map((name) => loadBalancers.get(name))
        .map(({ name, tags }) => ({
          LoadBalancerName: name,
          Tags: [...tags].map(([Key, Value]) => ({ Key, Value })),
        })),
    };
  };
