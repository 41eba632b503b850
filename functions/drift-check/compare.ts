/** Observed state in, findings out. Pure. */
import { compareListeners } from './compare-listeners.ts';
import { comparePolicies } from './compare-policies.ts';
import { compareReceivers } from './compare-receivers.ts';
import { compareSwitch } from './compare-switch.ts';
import { compareTraffic } from './compare-traffic.ts';
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
