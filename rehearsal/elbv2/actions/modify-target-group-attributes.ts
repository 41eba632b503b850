import type {
  ModifyTargetGroupAttributesInput,
  ModifyTargetGroupAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { changed, described, TARGET_GROUP_ATTRIBUTES } from '../attributes.ts';
import type { LoadBalancers } from '../model.ts';

export const modifyTargetGroupAttributes =
  (all: LoadBalancers) =>
  async (input: ModifyTargetGroupAttributesInput): Promise<ModifyTargetGroupAttributesOutput> => {
    const group = all.targetGroup(input.TargetGroupArn);
    group.attributes = changed(group.attributes, input.Attributes, TARGET_GROUP_ATTRIBUTES);
    await all.applyGroup(group);
    return { Attributes: described(group.attributes) };
  };
