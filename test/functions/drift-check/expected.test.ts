import { describe, expect, test } from '@jest/globals';
import { type Expected, expectedOf } from '../../../functions/drift-check/expected.ts';
import type { SwitchState } from '../../../functions/shared/switch-state.ts';
import { state } from './situations.ts';

describe('expectedOf', () => {
  test('takes from the state what the run set, and what it was told', () => {
    const given = state({
      before: { 80: ['theirs'], 81: [] },
      parameters: { ExcludePorts: '22 2222', IncludePorts: '80,81', FinalMode: 'both', Chat: 'On' },
    });

    expect(expectedOf(given)).toEqual({
      ports: [
        { port: 80, scheme: 'http' },
        { port: 81, scheme: 'https' },
      ],
      policy: 'on',
      mode: 'proxy',
      trustedCidrs: '10.0.101.0/24',
      exclude: [22, 2222],
      include: [80, 81],
      before: new Map([
        [80, ['theirs']],
        [81, []],
      ]),
      unfinished: undefined,
      staysBoth: true,
      withChat: true,
      setAt: Date.parse('2026-11-21T06:00:00.000Z'),
    } satisfies Expected);
  });

  test('takes the runbook’s own defaults for what an older version did not write down', () => {
    const { parameters: _, trustedCidrs: __, ...older } = state();

    expect(expectedOf(older)).toMatchObject({
      trustedCidrs: undefined,
      exclude: [22],
      include: [],
      staysBoth: false,
      withChat: false,
    });
  });

  test.each<[string, Partial<SwitchState>, Expected['policy']]>([
    ['on, where receivers are strict', { mode: 'proxy' }, 'on'],
    ['on, where they were to stay in both', { mode: 'both' }, 'on'],
    ['off, where they are plain', { mode: 'plain', direction: 'disable' }, 'off'],
    ['either, where a disable left them in both', { mode: 'both', direction: 'disable' }, 'either'],
    ['either, where an enable ended half-way', { mode: 'both', phase: 'undone' }, 'either'],
    ['off, where an enable never began', { mode: 'plain', phase: 'undone' }, 'off'],
    ['on, where a disable never began', { mode: 'proxy', phase: 'undone', direction: 'disable' }, 'on'],
  ])('the policy is %s', (_desc, given, policy) => {
    expect(expectedOf(state(given)).policy).toBe(policy);
  });

  test('half-way it is all the ports that the run touches, and the phase is told', () => {
    const given = { instancePorts: '80=http', bothPorts: '80=http 82=mixed' };

    expect(expectedOf(state({ ...given, phase: 'policies', mode: 'both' }))).toMatchObject({
      ports: [
        { port: 80, scheme: 'http' },
        { port: 82, scheme: 'mixed' },
      ],
      unfinished: 'policies',
    });
    expect(expectedOf(state({ ...given, phase: 'done' }))).toMatchObject({
      ports: [{ port: 80, scheme: 'http' }],
      unfinished: undefined,
    });
  });

  test.each(['ExcludePorts', 'IncludePorts'])('a state whose %s are no ports makes no sense', (name) => {
    expect(() => expectedOf(state({ parameters: { [name]: 'ssh' } }))).toThrow(
      `ERR_INVALID_PORT_LIST: ${name} is "ssh": "ssh" is not a port.`,
    );
  });
});
