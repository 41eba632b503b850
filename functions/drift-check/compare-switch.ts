/** The last switch itself, and whether what it switched is still there. Pure. */
import type { SwitchState } from '../shared/switch-state.ts';
import { startSwitch } from './mend.ts';
import type { Draft, Rules, Situation } from './situation.ts';

/** How the last switch itself ended. */
export function compareSwitch({ state, expected, loadBalancer }: Situation, rules: Rules): Draft[] {
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
