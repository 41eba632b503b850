/** What the check knows is what the rehearsal makes. */
import { describe, expect, test } from '@jest/globals';
import type { Finding, LoadBalancerResult } from '../../../functions/drift-check/finding.ts';
import { KINDS, type Kind } from '../../../functions/drift-check/kinds.ts';
import type { Environment } from '../../../rehearsal/environment.ts';
import { differences, mendsOf } from '../../../rehearsal/scenarios/drift/deed.ts';
import type { Hands } from '../../../rehearsal/scenarios/drift/hands.ts';
import { chosenKinds, scenes } from '../../../rehearsal/scenarios/drift/scenes.ts';
import { victimsOf, type Way } from '../../../rehearsal/scenarios/drift/ways/way.ts';
import { parseOptions } from '../../../rehearsal/scenarios/options.ts';
import { type Instance, World } from '../../../rehearsal/world.ts';

const CHAT = { Chat: 'On', ChatArtifactUrl: '', ChatArtifactSha256: '' } as const;
const fleetOf = (...ids: string[]) => ({
  instances: ids.map((instanceId) => ({ instanceId }) as Instance),
  chat: CHAT,
});
const fleet = fleetOf('i-0', 'i-1', 'i-2');
const cast = {
  environment: { world: new World() } as Environment,
  fleet,
  options: parseOptions([]),
  interrupted: new AbortController().signal,
  hands: {} as Hands,
  ...victimsOf(fleet),
  completeCheck: async () => {},
};

describe('scenes', () => {
  test('make every kind once; remediation comes to fought-over at the end of a run', () => {
    const kinds = scenes(cast)
      .flat()
      .map(({ kind }) => kind);
    expect([...kinds, 'fought-over'].sort()).toEqual(Object.keys(KINDS).sort());
  });

  test.each(scenes(cast).map((scene) => [scene.map(({ kind }) => kind).join(', '), scene] as const))(
    '%s: a place for each, and one load balancer and status for all',
    (_kinds, scene) => {
      const places = scene.map(({ kind, where }) => `${kind} ${where}`);
      expect(new Set(places).size).toBe(places.length);
      expect(new Set(scene.map(({ loadBalancer }) => loadBalancer)).size).toBe(1);
      expect(new Set(scene.map(({ status }) => status)).size).toBe(1);
    },
  );

  test('are those with a kind that was chosen', () => {
    const chosen = scenes(cast, chosenKinds(['rule-left', 'policy-missing', 'listener-added']));
    expect(chosen.map((scene) => scene.map(({ kind }) => kind))).toEqual([
      ['policy-missing', 'listener-added'],
      ['rule-left'],
    ]);
  });

  test('a kind that there is not is refused by name', () => {
    expect(() => chosenKinds(['policy-mising'])).toThrow(/--only names policy-mising/);
  });

  test('do nothing to one instance of three', () => {
    expect(() => victimsOf(fleetOf('i-0', 'i-1'))).toThrow(/three machines/);
    expect(
      scenes(cast)
        .flat()
        .filter(({ where }) => where === 'i-0'),
    ).toEqual([]);
  });
});

test.each(
  scenes(cast)
    .flat()
    .map((way) => [way.kind, way] as const),
)('%s has a severity that it can have, and the remedy that it has', (kind, way) => {
  const { severities, remedy } = KINDS[kind as Kind];
  expect(severities).toContain(way.severity);
  // A person may be told to run the switch as well; what the switch mends, remediation does.
  expect(way.isMendedBySwitch).toBe(remedy === 'switch');
});

const way = (given: Partial<Way>): Way => ({
  kind: 'policy-missing',
  by: '',
  severity: 'EVERY_REQUEST_FAILS',
  where: 'port 81',
  isMendedBySwitch: true,
  make: async () => {},
  ...given,
});
const finding = (given: Partial<Finding> = {}): Finding => ({
  kind: 'policy-missing',
  severity: 'EVERY_REQUEST_FAILS',
  where: 'port 81',
  expected: '',
  observed: 'no policy',
  since: '',
  cause: 'this port alone was changed',
  mend: 'aws ssm start-automation-execution',
  text: '',
  ...given,
});
const answer = (...findings: Finding[]): LoadBalancerResult => ({
  name: 'chat',
  status: 'MODIFIED',
  findings,
  suppressed: 0,
  why: '',
});

describe('a scene falls short of what the check has to say', () => {
  test.each<[string, Partial<Way>, LoadBalancerResult, string[]]>([
    ['never', {}, answer(finding()), []],
    ['by what is not found', {}, answer(), ['policy-missing not found at port 81']],
    [
      'by the place',
      {},
      answer(finding({ where: 'port 80' })),
      ['policy-missing not found at port 81', 'also found policy-missing at port 80 (no policy)'],
    ],
    [
      'by the severity',
      {},
      answer(finding({ severity: 'UNTIDY' })),
      ['policy-missing has severity UNTIDY, not EVERY_REQUEST_FAILS'],
    ],
    [
      'by the cause',
      { cause: /Kubernetes/ },
      answer(finding()),
      ['policy-missing has cause "this port alone was changed", not /Kubernetes/'],
    ],
    ['by the status', {}, { ...answer(finding()), status: 'UNKNOWN' }, ['status UNKNOWN, not MODIFIED']],
    [
      'not by an instance that is out of service by now',
      { isTakenOut: true },
      answer(finding({ severity: 'NEXT_CHANGE_FAILS' })),
      [],
    ],
    [
      'by more than was made',
      {},
      answer(finding(), finding({ kind: 'rule-left', where: 'i-1', observed: 'the rule' })),
      ['also found rule-left at i-1 (the rule)'],
    ],
    [
      'not by what it cannot come without',
      { also: ['rule-left'] },
      answer(finding(), finding({ kind: 'rule-left', where: 'i-1' })),
      [],
    ],
  ])('%s', (_what, given, said, short) => {
    expect(differences([way(given)], said)).toEqual(short);
  });
});

test('a command that mends several is run once, and the switch behind the others', () => {
  const made = [
    way({}),
    way({ kind: 'listener-added', where: 'port 82' }),
    way({ kind: 'policy-doubled', where: 'port 80' }),
  ];
  const said = answer(
    finding(),
    finding({ kind: 'listener-added', where: 'port 82' }),
    finding({ kind: 'policy-doubled', where: 'port 80', mend: 'aws elb set' }),
  );
  expect(mendsOf(made, said)).toEqual(['aws elb set', 'aws ssm start-automation-execution']);
});
