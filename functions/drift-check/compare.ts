/** Observed state in, findings out. Pure. */
import type { SwitchState } from '../shared/switch-state.ts';
import { compareListeners } from './compare-listeners.ts';
import { comparePolicies } from './compare-policies.ts';
import { compareReceivers } from './compare-receivers.ts';
import { compareTraffic } from './compare-traffic.ts';
import { startSwitch } from './mend.ts';
import type { Draft, Rules, Situation } from './situation.ts';

export function compare(situation: Situation, rules: Rules): Draft[] {
  const drafts = [
    ...comparePolicies(situation, rules),
    ...compareListeners(situation, rules),
    ...compareReceivers(situation, rules),
    ...compareSwitch(situation, rules),
  ];
  // What is dropped while the two sides differ has its reason above.
  const isExplained = drafts.some(({ severity }) => FAILING.has(severity));
  return isExplained ? drafts : [...drafts, ...compareTraffic(situation, rules)];
}

const FAILING: ReadonlySet<Draft['severity']> = new Set(['EVERY_REQUEST_FAILS', 'SOME_REQUESTS_FAIL']);

/** How the last switch itself ended. */
function compareSwitch({ state, expected, loadBalancer }: Situation, rules: Rules): Draft[] {
  const draft = {
    where: 'load balancer',
    began: expected.setAt,
    cause: '',
    mend: startSwitch(rules.switchDocument, loadBalancer.name, state),
  };
  if (expected.unfinished !== undefined) {
    return [
      {
        ...draft,
        kind: 'switch-unfinished',
        severity: expected.mode === 'both' ? 'CLIENT_ADDRESSES_WRONG' : 'UNTIDY',
        expected: `the switch that ${state.startedBy} started has ended`,
        observed: `execution ${state.executionId} ended in phase ${expected.unfinished}; receivers were left in ${expected.mode}`,
      },
    ];
  }
  const isOld = rules.now - expected.setAt > rules.bothSeconds * 1000;
  if (expected.mode !== 'both' || expected.staysBoth || !isOld) return [];
  return [
    {
      ...draft,
      kind: 'both-too-long',
      severity: 'CLIENT_ADDRESSES_WRONG',
      expected: state.direction === 'enable' ? 'proxy' : 'plain',
      observed: 'both: everything is served, and no client address is known',
      cause: state.remaining ? `the switch stopped at: ${state.remaining}` : '',
    },
  ];
}

/** A load balancer that is not there any more. */
export function compareDeleted(loadBalancerName: string, state: SwitchState, rules: Rules): Draft {
  return {
    kind: 'load-balancer-deleted',
    severity: 'UNTIDY',
    where: 'load balancer',
    expected: `${loadBalancerName}, switched by ${state.startedBy}`,
    observed: 'no load balancer of this name in this account and Region',
    began: 0,
    cause: '',
    mend: startSwitch(rules.switchDocument, loadBalancerName, state, { direction: 'disable' }),
  };
}
