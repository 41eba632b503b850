/** What a step is passed, as Automation passes it: texts and lists of texts. Whatever is not so is named, with its value. */
import { describe, expect, test } from '@jest/globals';
import { parseInput } from '../../../functions/load-balancer/input.ts';

const HELD = { loadBalancerName: 'web', executionId: 'run-1' };
const JUDGE = {
  operation: 'Judge',
  ...HELD,
  direction: 'enable',
  commandId: '',
  nodes: '',
  quietSeconds: '30',
  boundSeconds: '600',
  unmeasuredNode: 'Assume',
};
const BEGIN = {
  operation: 'Begin',
  ...HELD,
  direction: 'disable',
  owner: '',
  startedBy: '',
  tagKey: 'fleet',
  tagValue: '',
  includePorts: '80, 81',
  excludePorts: '',
  foreignPolicy: 'Adopt',
  emptyFleet: 'Allow',
  finalMode: 'both',
  healthPort: '8078',
  planOnly: 'yes',
};

describe('what a step is passed', () => {
  test('comes in as it is, with numbers, ports and yes or no as such', () => {
    expect(parseInput(JUDGE)).toEqual({ ...JUDGE, quietSeconds: 30, boundSeconds: 600 });
    expect(parseInput(BEGIN)).toEqual({ ...BEGIN, includePorts: [80, 81], excludePorts: [], planOnly: true });
    expect(parseInput({ ...BEGIN, planOnly: 'no' })).toMatchObject({ planOnly: false });
  });

  const ALL =
    'one of AwaitFleet, Begin, Plan, RefuseHealthCheck, Compare, ConfirmReceivers, SetPolicies, Judge, Conclude, Finish, Forget, Report, Undo, Undone.';
  const NAME = '1 to 32 letters, digits and hyphens.';
  test.each([
    [`operation is missing: ${ALL}`, null],
    [`operation is missing: ${ALL}`, {}],
    [`operation is 7: ${ALL}`, { operation: 7 }],
    [`operation is "begin": ${ALL}`, { operation: 'begin' }],
    // What every object has is no operation of ours.
    [`operation is "toString": ${ALL}`, { operation: 'toString' }],
    [`loadBalancerName is "web.example": ${NAME}`, { ...JUDGE, loadBalancerName: 'web.example' }],
    [`loadBalancerName is "a web": ${NAME}`, { ...JUDGE, loadBalancerName: 'a web' }],
    ['executionId is "": at least one character.', { ...JUDGE, executionId: '' }],
    ['quietSeconds is "30 s": a whole number of seconds.', { ...JUDGE, quietSeconds: '30 s' }],
    ['boundSeconds is "1e3": a whole number of seconds.', { ...JUDGE, boundSeconds: '1e3' }],
    ['direction is "on": ', { ...JUDGE, direction: 'on' }],
    ['nodes is missing: ', { ...JUDGE, nodes: undefined }],
    ['bound is "bound": ', { ...JUDGE, bound: '600' }],
  ])('is refused where %s', (says, event) => {
    expect(() => parseInput(event)).toThrow(`ERR_INVALID_INPUT: ${says}`);
  });

  test('ports that are none are named by the parameter of the runbook that a person has set', () => {
    expect(() => parseInput({ ...BEGIN, includePorts: 'http' })).toThrow(
      'ERR_INVALID_PORT_LIST: IncludePorts is "http"',
    );
    expect(() => parseInput({ ...BEGIN, excludePorts: '0' })).toThrow('ERR_INVALID_PORT_LIST: ExcludePorts is "0"');
  });
});
