import type { SetRulePrioritiesInput, SetRulePrioritiesOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { checkPriority } from '../checks.ts';
import { describeRule } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

export const setRulePriorities =
  (all: LoadBalancers) =>
  async (input: SetRulePrioritiesInput): Promise<SetRulePrioritiesOutput> => {
    const wanted = (input.RulePriorities ?? []).map(({ RuleArn, Priority }) => {
      const { listener, rule } = all.rule(RuleArn);
      return { listener, rule, priority: checkPriority(listener, Priority, rule.arn) };
    });
    for (const { rule, priority } of wanted) rule.priority = priority;
    for (const { listener } of wanted) await all.apply(listener.loadBalancerArn);
    return { Rules: wanted.map(({ rule }) => describeRule(rule)) };
  };
