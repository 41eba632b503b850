import type { DescribeRulesInput, DescribeRulesOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { describeDefaultRule, describeRule } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';
import { paged } from '../paging.ts';

/** Of a listener, with its default rule at the end; or those that are named. */
export const describeRules =
  (all: LoadBalancers) =>
  (input: DescribeRulesInput): DescribeRulesOutput => {
    const arns = input.RuleArns ?? [];
    if (arns.length > 0) return { Rules: arns.map((arn) => describeRule(all.rule(arn).rule)) };
    const listener = all.listener(input.ListenerArn);
    const rules = [...listener.rules.values()].sort((left, right) => left.priority - right.priority);
    const { page, nextMarker } = paged([...rules.map(describeRule), describeDefaultRule(listener)], input);
    return { Rules: [...page], NextMarker: nextMarker };
  };
