/** Which mode the receivers take at the end, and what a person is told where it is not the one that was asked for. */
import { describe, expect, test } from '@jest/globals';
import { POLICY_NAME } from '../../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../../functions/shared/switch-state.ts';
import { type FakeLoadBalancer, proxyPolicy, tcp } from '../../fake-aws.ts';
import { SWITCHED_ON, stage } from './stage.ts';

const CIDRS = '10.0.101.0/24';
const MEASURED = {
  phase: 'measuring',
  verdict: 'final',
  measured: '2 of 2',
  assumed: 'nothing',
  remaining: '',
  trustedCidrs: CIDRS,
} as const;

async function conclude(
  given: Partial<FakeLoadBalancer>,
  state: Partial<SwitchState>,
  finalMode: string,
  neighbours: Record<string, Partial<FakeLoadBalancer>> = {},
) {
  const { aws, ask, hold, joining, expectNewcomers } = stage(given);
  for (const [name, each] of Object.entries(neighbours)) aws.addLoadBalancer(name, { instanceIds: ['i-2'], ...each });
  hold({ ...MEASURED, ...state });
  expectNewcomers();
  return { answer: await ask('Conclude', { finalMode }), joining: joining() };
}

describe('without a last verdict receivers stay in both', () => {
  test.each<[string, Partial<SwitchState>, string]>([
    [
      'while something stands against it',
      { verdict: 'both', remaining: 'node 10.0.101.21 is silent' },
      'node 10.0.101.21 is silent',
    ],
    [
      'while the loop was still waiting',
      { verdict: 'wait', remaining: 'a wait (600 of 600 s)' },
      'a wait (600 of 600 s)',
    ],
    ['where nothing is known to stand against it', { verdict: 'both', remaining: '' }, 'measuring did not end'],
  ])('%s', async (_desc, state, why) => {
    expect(await conclude(SWITCHED_ON, state, 'proxy')).toEqual({
      answer: {
        mode: 'both',
        instancePorts: '80=http 81=https',
        warning: `Receivers stay in both: ${why}.`,
        measured: '2 of 2',
        assumed: 'nothing',
      },
      joining: `both; 80=http 81=https; ${CIDRS}`,
    });
  });

  test('where it was never measured, and nobody knows the subnets', async () => {
    const { ask, hold, joining, expectNewcomers } = stage(SWITCHED_ON);
    hold({ phase: 'policies' });
    expectNewcomers();

    expect(await ask('Conclude', { finalMode: 'proxy' })).toEqual({
      mode: 'both',
      instancePorts: '80=http 81=https',
      warning: 'Receivers stay in both: measuring did not end.',
      measured: '',
      assumed: '',
    });
    expect(joining()).toBe('both; 80=http 81=https;');
  });
});

describe('with one they take', () => {
  const plain = { listeners: [tcp(80, 80)] };
  const proxy = { ...plain, policies: [proxyPolicy('p')], backend: { 80: ['p'] } };
  const theirs = (...ports: number[]) => ({
    policies: [proxyPolicy('theirs')],
    backend: Object.fromEntries(ports.map((port) => [port, ['theirs']])),
  });
  const kept = (mode: string) => `Receivers go to ${mode}, since policies that are not ours stay on.`;
  const shared = (names: string) => `Receivers stay in both: ${names} shares instances and sends the other kind.`;

  test.each<{
    desc: string;
    given: Partial<FakeLoadBalancer>;
    finalMode: string;
    neighbours?: Record<string, Partial<FakeLoadBalancer>>;
    mode: string;
    warning?: string;
  }>([
    { desc: 'what was asked for, of an enable', given: SWITCHED_ON, finalMode: 'proxy', mode: 'proxy' },
    { desc: 'what was asked for, of a disable', given: {}, finalMode: 'plain', mode: 'plain' },
    { desc: 'both, where that was asked for', given: SWITCHED_ON, finalMode: 'both', mode: 'both' },
    {
      desc: 'both, where somebody else’s policy stays on one port of a disable',
      given: theirs(80),
      finalMode: 'plain',
      mode: 'both',
      warning: kept('both'),
    },
    {
      desc: 'both, whatever a neighbour sends beside that',
      given: theirs(80),
      finalMode: 'plain',
      neighbours: { blue: proxy },
      mode: 'both',
      warning: kept('both'),
    },
    {
      desc: 'proxy, where somebody else’s policies stay on all ports of a disable',
      given: theirs(80, 81),
      finalMode: 'plain',
      mode: 'proxy',
      warning: kept('proxy'),
    },
    {
      desc: 'proxy beside a neighbour that sends the line too',
      given: SWITCHED_ON,
      finalMode: 'proxy',
      neighbours: { blue: proxy },
      mode: 'proxy',
    },
    {
      desc: 'plain beside a neighbour that sends none either',
      given: {},
      finalMode: 'plain',
      neighbours: { blue: plain },
      mode: 'plain',
    },
    {
      desc: 'both beside one that sends none where we do',
      given: SWITCHED_ON,
      finalMode: 'proxy',
      neighbours: { blue: plain },
      mode: 'both',
      warning: shared('blue'),
    },
    {
      desc: 'both beside two that send it where we do not',
      given: {},
      finalMode: 'plain',
      neighbours: { blue: proxy, green: proxy, red: plain },
      mode: 'both',
      warning: shared('blue, green'),
    },
    {
      desc: 'both beside one that agrees on one port and not on the other',
      given: SWITCHED_ON,
      finalMode: 'proxy',
      neighbours: { blue: { ...proxy, listeners: [tcp(80, 80), tcp(81, 81)] } },
      mode: 'both',
      warning: shared('blue'),
    },
    {
      desc: 'proxy beside one whose other port is not ours',
      given: SWITCHED_ON,
      finalMode: 'proxy',
      neighbours: { blue: { ...proxy, listeners: [tcp(80, 80), tcp(82, 82)] } },
      mode: 'proxy',
    },
  ])('$desc', async ({ given, finalMode, neighbours, mode, warning = '' }) => {
    expect(await conclude(given, {}, finalMode, neighbours)).toEqual({
      answer: { mode, instancePorts: '80=http 81=https', warning, measured: '2 of 2', assumed: 'nothing' },
      joining: `${mode}; 80=http 81=https; ${CIDRS}`,
    });
  });

  test('what the ports that are served at the end have, whatever a port has that leaves', async () => {
    const state = { instancePorts: '80=http', bothPorts: '80=http 81=https' };

    expect(await conclude({ ...SWITCHED_ON, backend: { 80: [POLICY_NAME] } }, state, 'proxy')).toMatchObject({
      answer: { mode: 'proxy', instancePorts: '80=http', warning: '' },
      joining: `proxy; 80=http; ${CIDRS}`,
    });
  });
});
