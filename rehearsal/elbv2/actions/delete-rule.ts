import type { DeleteRuleInput, DeleteRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { LoadBalancers } from '../model.ts';

export const deleteRule =
  (all: LoadBalancers) =>
  async (input: DeleteRuleInput): Promise<DeleteRuleOutput> => {
    const { listener, rule } = all.rule(input.RuleArn);
    listener.rules.delete(rule.arn);
    await all.apply(listener.loadBalancerArn);
    return {};
  };
