/** What the check knows is what the rehearsal makes. */
import { expect, test } from '@jest/globals';
import { KINDS, type Kind } from '../../../functions/drift-check/kinds.ts';
import type { Environment } from '../../../rehearsal/environment.ts';
import type { Hands } from '../../../rehearsal/scenarios/drift/hands.ts';
import { ways } from '../../../rehearsal/scenarios/drift/ways.ts';
import { parseOptions } from '../../../rehearsal/scenarios/options.ts';
import { type Instance, World } from '../../../rehearsal/world.ts';

/** By what it is not made by hand. */
const NOT_MADE: Readonly<Partial<Record<Kind, string>>> = {
  'fought-over': 'remediation comes to it, at the end of a run',
  'policy-unexpected': 'the name of our policy on a port that was not switched: nobody has made one by hand yet',
};

const CHAT = { Chat: 'On', ChatArtifactUrl: '', ChatArtifactSha256: '' } as const;
const made = ways({
  environment: { world: new World() } as Environment,
  fleet: { instances: [{ instanceId: 'i-0' } as Instance, { instanceId: 'i-1' } as Instance], chat: CHAT },
  options: parseOptions([]),
  interrupted: new AbortController().signal,
  hands: {} as Hands,
  completeCheck: async () => {},
});

test('every kind is made, or it is said why not', () => {
  const kinds = made.map(({ kind }) => kind);
  expect([...kinds, ...Object.keys(NOT_MADE)].sort()).toEqual(Object.keys(KINDS).sort());
});

test.each(made.map((way) => [way.kind, way] as const))(
  '%s has a severity that it can have, and the remedy that it has',
  (kind, way) => {
    const { severities, remedy } = KINDS[kind as Kind];
    expect(severities).toContain(way.severity);
    // A person may be told to run the switch as well; what the switch mends, remediation does.
    expect(way.isMendedBySwitch).toBe(remedy === 'switch');
  },
);
