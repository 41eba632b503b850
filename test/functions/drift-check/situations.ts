/** A load balancer that was switched, and is as it was set; each test changes what it is about. */
import { expect, test } from '@jest/globals';
import { expectedOf } from '../../../functions/drift-check/expected.ts';
import { type ObservedListener, type ObservedLoadBalancer, observe } from '../../../functions/drift-check/observed.ts';
import type { Receiver } from '../../../functions/drift-check/receiver.ts';
import type { Draft, Rules, Situation } from '../../../functions/drift-check/situation.ts';
import { POLICY_NAME } from '../../../functions/shared/policies.ts';
import type { SwitchState } from '../../../functions/shared/switch-state.ts';

export const NOW = Date.parse('2026-11-21T12:00:00Z');
const SET_AT = '2026-11-21T06:00:00.000Z';
const SET_SECONDS = Date.parse(SET_AT) / 1000;

export const rules = (given: Partial<Rules> = {}): Rules => ({
  now: NOW,
  bothSeconds: 3600,
  logsSince: NOW - 15 * 60_000,
  switchDocument: 'proxyflip-switch',
  ...given,
});

export const state = (given: Partial<SwitchState> = {}): SwitchState => ({
  version: 1,
  owner: 'console',
  executionId: 'run-1',
  startedBy: 'somebody',
  direction: 'enable',
  phase: 'done',
  mode: 'proxy',
  startedAt: SET_AT,
  instancePorts: '80=http 81=https',
  bothPorts: '80=http 81=https',
  trustedCidrs: '10.0.101.0/24',
  policyName: POLICY_NAME,
  before: {},
  parameters: { FleetTagKey: 'fleet', FleetTagValue: 'web', FinalMode: 'proxy', ExcludePorts: '22' },
  ...given,
});

/** The command that runs again what `state()` tells of. */
export const SWITCH = `aws ssm start-automation-execution --document-name proxyflip-switch --parameters '{"LoadBalancerName":["web"],"Direction":["enable"],"FleetTagKey":["fleet"],"FleetTagValue":["web"],"FinalMode":["proxy"],"ExcludePorts":["22"]}'`;
export const SWITCH_OFF = SWITCH.replace('enable', 'disable');

export const receiver = (given: Partial<Receiver> = {}): Receiver => ({
  version: 1,
  mode: 'proxy',
  since: SET_SECONDS,
  ports: '80=http 81=https',
  cidrs: '10.0.101.0/24',
  healthPort: '8078',
  health: 200,
  nginx: { active: true, since: SET_SECONDS },
  haproxy: { active: true, since: SET_SECONDS },
  rule: false,
  live: { 80: 'proxy', 81: 'proxy' },
  files: [],
  chat: 'absent',
  log: {
    from: NOW / 1000 - 900,
    requests: 1000,
    proxied: 3,
    lastProxied: NOW / 1000 - 60,
    broken: 0,
    lastBroken: 0,
    brokenFrom: [],
    checkers: false,
  },
  ...given,
});

export const plainReceiver = (given: Partial<Receiver> = {}): Receiver =>
  receiver({ mode: 'plain', live: { 80: 'plain', 81: 'plain' }, ...given });
export const bothReceiver = (given: Partial<Receiver> = {}): Receiver =>
  receiver({ mode: 'both', rule: true, live: { 80: 'both', 81: 'both' }, ...given });
/** Nobody prepared the instance. */
export const noReceiver = (): Receiver =>
  receiver({ mode: 'none', since: 0, ports: '', cidrs: '', health: 0, live: {}, haproxy: { active: false, since: 0 } });

export const listener = (
  protocol: string,
  loadBalancerPort: number,
  instanceProtocol: string,
  instancePort: number,
  certificateId?: string,
): ObservedListener => ({ protocol, loadBalancerPort, instanceProtocol, instancePort, certificateId });

export const LISTENERS = [listener('TCP', 80, 'TCP', 80), listener('SSL', 443, 'TCP', 81, 'arn:aws:acm:cert')] as const;

const proxyPolicy = (name: string, value: string) => ({
  PolicyName: name,
  PolicyTypeName: 'ProxyProtocolPolicyType',
  PolicyAttributeDescriptions: [{ AttributeName: 'ProxyProtocol', AttributeValue: value }],
});

/** @param on  instance port → policies. A name that ends in `-off` has the attribute false, one in `-auth` is of another type. */
export function loadBalancer(
  on: Readonly<Record<number, readonly string[]>> = { 80: [POLICY_NAME], 81: [POLICY_NAME] },
  given: Partial<ObservedLoadBalancer> = {},
): ObservedLoadBalancer {
  const names = [...new Set(Object.values(on).flat())].filter((name) => !name.endsWith('-auth'));
  return {
    ...observe(
      {
        LoadBalancerName: 'web',
        CreatedTime: new Date('2026-01-01T00:00:00Z'),
        BackendServerDescriptions: Object.entries(on).map(([port, PolicyNames]) => ({
          InstancePort: Number(port),
          PolicyNames: [...PolicyNames],
        })),
        HealthCheck: {
          Target: 'HTTP:8078/healthz',
          Interval: 10,
          Timeout: 5,
          UnhealthyThreshold: 2,
          HealthyThreshold: 3,
        },
      },
      names.map((name) => proxyPolicy(name, name.endsWith('-off') ? 'false' : 'True')),
      new Map(),
    ),
    listeners: LISTENERS,
    ...given,
  };
}

export interface Given extends Partial<Omit<Situation, 'receivers' | 'expected'>> {
  readonly receivers?: Readonly<
    Record<string, Situation['receivers'] extends ReadonlyMap<string, infer Each> ? Each : never>
  >;
}

export function situation({ receivers, ...given }: Given = {}): Situation {
  const set = given.state ?? state();
  return {
    state: set,
    expected: expectedOf(set),
    loadBalancer: loadBalancer(),
    receivers: new Map(Object.entries(receivers ?? { 'i-1': receiver(), 'i-2': receiver() })),
    outOfService: new Set(),
    neighbours: [],
    ...given,
  };
}

/** For tables of what one comparison finds: each row a situation, and its findings whole. */
export const findings =
  (compare: (given: Situation, rules: Rules) => Draft[]) =>
  (cases: readonly (readonly [string, Given, readonly Draft[]])[]): void =>
    test.each(cases)('%s', (_desc, given, drafts) => {
      expect(compare(situation(given), rules())).toEqual(drafts);
    });
