/** What is told of the last switch itself, whole. */
import { describe, expect, test } from '@jest/globals';
import { compareDeleted, compareSwitch } from '../../../functions/drift-check/compare-switch.ts';
import type { Draft, Rules } from '../../../functions/drift-check/situation.ts';
import type { SwitchState } from '../../../functions/shared/switch-state.ts';
import { rules, SWITCH, SWITCH_OFF, situation, state } from './situations.ts';

const SET_AT = Date.parse(state().startedAt);

const unfinished: Draft = {
  kind: 'switch-unfinished',
  severity: 'CLIENT_ADDRESSES_WRONG',
  where: 'load balancer',
  expected: 'the switch that somebody started has ended',
  observed: 'execution run-1 ended in phase undone; receivers were left in both',
  began: SET_AT,
  cause: '',
  mend: SWITCH,
};
const tooLong: Draft = {
  kind: 'both-too-long',
  severity: 'CLIENT_ADDRESSES_WRONG',
  where: 'load balancer',
  expected: 'proxy',
  observed: 'both: everything is served, and no client address is known',
  began: SET_AT,
  cause: '',
  mend: SWITCH,
};
const anHour = { bothSeconds: 3600, now: SET_AT + 3_600_001 };

describe('compareSwitch', () => {
  test.each<[string, Partial<SwitchState>, Partial<Rules>, readonly Draft[]]>([
    ['ended as it should', {}, {}, []],
    ['ended half-way, in both', { phase: 'undone', mode: 'both' }, {}, [unfinished]],
    [
      'ended half-way, and the receivers are back: it is the run alone that is open',
      { phase: 'policies', mode: 'plain' },
      {},
      [
        {
          ...unfinished,
          severity: 'UNTIDY',
          observed: 'execution run-1 ended in phase policies; receivers were left in plain',
        },
      ],
    ],
    [
      'stopped in both, more than an hour ago',
      { mode: 'both', remaining: '10.0.9.9 sends plain connections' },
      anHour,
      [{ ...tooLong, cause: 'the switch stopped at: 10.0.9.9 sends plain connections' }],
    ],
    ['stopped in both, and does not say at what', { mode: 'both' }, anHour, [tooLong]],
    [
      'stopped in both on its way off',
      { mode: 'both', direction: 'disable' },
      anHour,
      [{ ...tooLong, expected: 'plain', mend: SWITCH_OFF }],
    ],
    ['stopped in both an hour ago', { mode: 'both' }, { ...anHour, now: SET_AT + 3_600_000 }, []],
    ['was to stay in both', { mode: 'both', parameters: { FinalMode: 'both' } }, anHour, []],
  ])('a switch that %s', (_desc, given, changed, drafts) => {
    expect(compareSwitch(situation({ state: state(given) }), rules(changed))).toEqual(drafts);
  });
});

test('compareDeleted: a load balancer that is gone is switched off, which forgets it', () => {
  expect(compareDeleted('web', state(), rules())).toEqual({
    kind: 'load-balancer-deleted',
    severity: 'UNTIDY',
    where: 'load balancer',
    expected: 'web, switched by somebody',
    observed: 'no load balancer of this name in this account and Region',
    began: 0,
    cause: '',
    mend: SWITCH_OFF,
  } satisfies Draft);
});
