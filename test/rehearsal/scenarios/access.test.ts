/** That the scenario leaves no permission of the product out without saying so: what its stack has, it counts; the rest is named. */
import { expect, test } from '@jest/globals';
import { prepareTemplate } from '../../../rehearsal/cloudformation/prepare.ts';
import { NOT_IN_THIS_STACK, NOT_USED_HERE } from '../../../rehearsal/scenarios/access/unused.ts';
import { type Statement, statementsIn } from '../../cloudformation/statements.ts';
import { readTemplate, type Template } from '../../cloudformation/template.ts';

const PARAMETERS = {
  LoadBalancerName: 'web',
  FleetTagValue: 'web',
  ArtifactBucket: 'artifacts',
  Chat: 'On',
  ChatArtifactUrl: 's3://artifacts/chat.tar.gz',
  ChatArtifactSha256: '0'.repeat(64),
  InstanceRoleName: 'web-instances',
};

const placesOf = (template: Pick<Template, 'Resources'>): Statement[] =>
  statementsIn(template as Template).filter(({ Principal }) => Principal === undefined);
const place = ({ of, Sid }: Statement): string => `${of} ${Sid}`;

test('every statement of the product is in the stack of the scenario, or named with where it is used', async () => {
  const template = readTemplate();
  const { resources } = await prepareTemplate(
    JSON.stringify(template),
    Object.entries(PARAMETERS).map(([ParameterKey, ParameterValue]) => ({ ParameterKey, ParameterValue })),
    undefined,
    {
      getObject: () => Promise.reject(new Error('there is no object')),
      readStored: () => Promise.reject(new Error('there is no parameter')),
      // Whether the rehearsal has the types is not the question here.
      findType: (name) => ({ name }) as never,
      stackName: 'web',
      stackId: 'arn:aws:cloudformation:eu-central-1:111122223333:stack/web/1',
    },
  );
  const inStack = new Set(
    placesOf({
      Resources: Object.fromEntries(
        [...resources].map(([id, { type, properties }]) => [id, { Type: type, Properties: properties }]),
      ),
    } as Template).map(place),
  );

  const missing = placesOf(template)
    .map(place)
    .filter((each) => !inStack.has(each));
  expect(missing.sort()).toEqual(Object.keys(NOT_IN_THIS_STACK).sort());

  const actions = placesOf(template).flatMap((each) => each.Action.map((action) => `${place(each)} ${action}`));
  expect(Object.keys(NOT_USED_HERE).filter((each) => !actions.includes(each))).toEqual([]);
});
