/**
 * The change set of an update from the last release to what is here now: nothing that serves may be replaced or removed. What it
 * says of each resource is the rehearsal's (test/rehearsal/cloudformation/changes.test.ts).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { plannedChanges, type ResourceChange } from '../../rehearsal/cloudformation/changes.ts';
import { type PreparedTemplate, prepareTemplate } from '../../rehearsal/cloudformation/prepare.ts';
import { createResourceTypes } from '../../rehearsal/cloudformation/resources/index.ts';
import { createStackRecord, type Stack } from '../../rehearsal/cloudformation/stack.ts';
import { parseText } from '../../rehearsal/cloudformation/template.ts';
import { IamStore } from '../../rehearsal/iam/store.ts';
import { withoutContents } from '../../tools/release.mjs';
import { readTemplates, type Template } from './template.ts';

const RELEASED = 'test/cloudformation/released';

/**
 * What may be replaced or removed all the same, by template and resource, each with the reason: who updates must be able to read in the
 * changelog what that does to a fleet that serves.
 */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {};

/** So that every condition holds: what is not made cannot be replaced. */
const GIVEN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'proxy-protocol.yaml': {
    LoadBalancerName: 'web',
    FleetTagValue: 'web',
    ArtifactBucket: 'artifacts',
    Chat: 'On',
    DriftMailAddress: 'ops@example.com',
    Remediation: 'Automatic',
    InstanceRoleName: 'fleet',
  },
  'chat-fleet.yaml': {
    CertificateArn: 'arn:aws:acm:eu-central-1:111122223333:certificate/x',
    ArtifactBucket: 'artifacts',
  },
};

// What a type does when it is made is of no matter here.
const findType = createResourceTypes(new IamStore(), {} as never, (async () => {}) as never);

type Inputs = Parameters<typeof prepareTemplate>[1];

function prepared(template: object, inputs: Inputs, previous?: PreparedTemplate): Promise<PreparedTemplate> {
  return prepareTemplate(JSON.stringify(template), inputs, previous?.parameters, {
    findType,
    getObject: () => Promise.reject(new Error('nothing is fetched')),
    readStored: async () => 'ami-0123456789abcdef0',
    stackName: 'proxyflip',
    stackId: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/proxyflip/1',
  });
}

async function released(name: string): Promise<PreparedTemplate> {
  const template = parseText(readFileSync(`${RELEASED}/${name}`, 'utf8'));
  const inputs = Object.entries(GIVEN[name] ?? {})
    .filter(([parameter]) => parameter in (template.Parameters as object))
    .map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue }));
  return prepared(template, inputs);
}

/** As one updates: what was given keeps its value, and what is new has its default. */
async function updated(name: string, before: PreparedTemplate): Promise<PreparedTemplate> {
  const template = readTemplates()[name] as Template;
  const kept = [...before.parameters.keys()].filter((parameter) => parameter in template.Parameters);
  const inputs = kept.map((ParameterKey) => ({ ParameterKey, UsePreviousValue: true }));
  return prepared(withoutContents(template), inputs, before);
}

/** As if all of it had been made. */
function stackOf(template: PreparedTemplate): Stack {
  const settings = { capabilities: [], tags: {}, onFailure: 'ROLLBACK', clientRequestToken: undefined } as const;
  const resources = [...template.resources].map(([logicalId, { type, properties, ...policies }]) => ({
    logicalId,
    type,
    properties,
    ...policies,
    physicalId: `id-of-${logicalId}`,
    attributes: {},
    dependsOn: new Set<string>(),
    status: 'CREATE_COMPLETE',
    reason: undefined,
    updatedAt: new Date(0),
  }));
  const stack = createStackRecord('proxyflip', settings, 'AKIATEST');
  stack.prepared = template;
  stack.resources = new Map(resources.map((resource) => [resource.logicalId, resource]));
  return stack;
}

const harm = ({ ResourceChange: { Action, Replacement, LogicalResourceId, Details } }: ResourceChange): string[] => {
  const isReplaced = Replacement === 'True' || Replacement === 'Conditional';
  if (Action !== 'Remove' && !isReplaced) return [];
  const why = Details.filter(({ Target }) => Target.RequiresRecreation === 'Always').map(({ Target }) => Target.Name);
  return [[LogicalResourceId, Action === 'Remove' ? 'is removed' : 'is replaced', ...why].join(' ')];
};

const templates = readdirSync(RELEASED);

test('there is a release to hold it against', () => expect(templates).toContain('proxy-protocol.yaml'));

describe.each(templates)('an update from the released %s', (name) => {
  test('replaces nothing that serves', async () => {
    const before = await released(name);
    const after = await updated(name, before);

    expect(before.resources.size).toBeGreaterThan(5);
    const changes = plannedChanges(stackOf(before), after, findType);
    expect(changes.flatMap(harm).filter((each) => !ALLOWED[name]?.some((id) => each.startsWith(`${id} `)))).toEqual([]);
    const retyped = [...after.resources].filter(([id, { type }]) => (before.resources.get(id)?.type ?? type) !== type);
    expect(retyped).toEqual([]);
  });

  test('would be told of, if it did', async () => {
    const before = await released(name);
    const needed = new Set([...before.graph.values()].flatMap((names) => [...names]));
    const [id = ''] = [...before.resources.keys()].filter((each) => !needed.has(each));
    const without = { ...before, resources: new Map([...before.resources].filter(([each]) => each !== id)) };

    expect(plannedChanges(stackOf(before), without, findType).flatMap(harm)).toEqual([`${id} is removed`]);
  });
});
