import type { CreateRuleInput, CreateRuleOutput } from '@aws-sdk/client-elastic-load-balancing-v2';
import { actionOf, checkPriority, conditionsOf, refuseOthers, tagsOf } from '../checks.ts';
import { describeRule } from '../describe.ts';
import type { LoadBalancers } from '../model.ts';

export const createRule =
  (all: LoadBalancers) =>
  async (input: CreateRuleInput): Promise<CreateRuleOutput> => {
    refuseOthers(input, ['ListenerArn', 'Conditions', 'Priority', 'Actions', 'Tags']);
    const listener = all.listener(input.ListenerArn);
    const rule = await all.createRule(listener, {
      priority: checkPriority(listener, input.Priority),
      conditions: conditionsOf(input.Conditions),
      action: actionOf(all, listener.loadBalancerArn, input.Actions),
      tags: tagsOf(new Map(), input.Tags),
    });
    return { Rules: [describeRule(rule)] };
  };
