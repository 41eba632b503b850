import type {
  ModifyLoadBalancerAttributesInput,
  ModifyLoadBalancerAttributesOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { changed, described, LOAD_BALANCER_ATTRIBUTES } from '../attributes.ts';
import type { LoadBalancers } from '../model.ts';

export const modifyLoadBalancerAttributes =
  (all: LoadBalancers) =>
  async (input: ModifyLoadBalancerAttributesInput): Promise<ModifyLoadBalancerAttributesOutput> => {
    const loadBalancer = all.loadBalancer(input.LoadBalancerArn);
    loadBalancer.attributes = changed(loadBalancer.attributes, input.Attributes, LOAD_BALANCER_ATTRIBUTES);
    await all.apply(loadBalancer.arn);
    return { Attributes: described(loadBalancer.attributes) };
  };
