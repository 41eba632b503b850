import type { ModifyRuleInput, ModifyRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { actionOf, conditionsOf, refuseOthers } from '../checks.ts';
import { describeRule } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

/** What is not given stays. */
export const modifyRule =
  (all: LoadBalancers) =>
  async (input: ModifyRuleInput): Promise<ModifyRuleOutput> => {
    refuseOthers(input, ['RuleArn', 'Conditions', 'Actions']);
    const { listener, rule } = all.rule(input.RuleArn);
    const conditions = input.Conditions === undefined ? rule.conditions : conditionsOf(input.Conditions);
    const action = input.Actions === undefined ? rule.action : actionOf(all, listener.loadBalancerArn, input.Actions);
    Object.assign(rule, { conditions, action });
    await all.apply(listener.loadBalancerArn);
    return { Rules: [describeRule(rule)] };
  };
