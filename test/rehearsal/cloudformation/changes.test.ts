/** What a change set says of each resource: why it changes, how sure that is, and whether another one will stand in its place. */
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, FUNCTION_ARN, STACK, type StackHarness, startStacks } from './stack-harness.ts';

let stacks: StackHarness;
beforeEach(() => {
  stacks = startStacks();
});
afterEach(() => stacks.close());

const custom = (properties: object) => ({
  Type: 'Custom::Thing',
  Properties: { ServiceToken: FUNCTION_ARN, ServiceTimeout: 60, ...properties },
});
const template = (Resources: object) => ({
  Parameters: { Size: { Type: 'String', Default: 's' } },
  Resources: { Same: custom({ Name: 'same' }), ...Resources },
});
const topic = (TopicName: unknown) => ({ Type: 'AWS::SNS::Topic', Properties: { TopicName } });
const alarm = (properties: object) => ({
  Type: 'AWS::CloudWatch::Alarm',
  Properties: { ComparisonOperator: 'GreaterThanThreshold', EvaluationPeriods: 1, ...properties },
});

/** Of each resource but Same: action, replacement, and each detail in a line. */
async function changes(before: object, after: object, parameters: readonly object[] = []): Promise<unknown> {
  expect(await stacks.create(template(before))).toBe('CREATE_COMPLETE');
  const names = { StackName: STACK, ChangeSetName: 'c' };
  await stacks.call('CreateChangeSet', {
    ...names,
    TemplateBody: JSON.stringify(template(after)),
    Parameters: parameters,
  });
  const { Changes } = await stacks.call('DescribeChangeSet', names);
  return Object.fromEntries(
    Changes.map(({ ResourceChange: { Action, LogicalResourceId, Replacement, Details } }: Answer) => [
      LogicalResourceId,
      [
        [Action, Replacement].filter(Boolean).join(' '),
        ...Details.map(
          ({ Target: { Name, RequiresRecreation }, Evaluation, ChangeSource, CausingEntity }: Answer) =>
            `${Name} ${RequiresRecreation} ${Evaluation} ${[ChangeSource, CausingEntity].filter(Boolean).join(' ')}`,
        ),
      ],
    ]),
  );
}

describe('a change set says of a resource', () => {
  test('that is added or removed nothing more', async () => {
    expect(await changes({ Old: custom({}) }, { New: custom({}) })).toEqual({ New: ['Add'], Old: ['Remove'] });
  });

  test('that its property is written anew', async () => {
    expect(await changes({ A: custom({ Name: 'x' }) }, { A: custom({ Name: 'y' }) })).toEqual({
      A: ['Modify False', 'Name Never Static DirectModification'],
    });
  });

  test('that a property is gone, or there for the first time', async () => {
    expect(await changes({ A: custom({ Old: 'x' }) }, { A: custom({ New: 'y' }) })).toEqual({
      A: ['Modify False', 'Old Never Static DirectModification', 'New Never Static DirectModification'],
    });
  });

  test('which parameter changes it', async () => {
    const same = { A: custom({ Size: { 'Fn::Sub': `a-\${Size}` } }) };
    expect(await changes(same, same, [{ ParameterKey: 'Size', ParameterValue: 'xl' }])).toEqual({
      A: ['Modify False', 'Size Never Static ParameterReference Size'],
    });
  });

  test('that another one takes its place, and what that may do to those that name it', async () => {
    const named = (name: string) => ({
      Topic: topic(name),
      // Ref of it is another value then; of a property that replaces, that is sure only when the topic has been made.
      Display: custom({ Of: { Ref: 'Topic' } }),
      Second: topic({ 'Fn::Sub': `\${Topic}-x` }),
    });
    expect(await changes(named('one'), named('two'))).toEqual({
      Topic: ['Modify True', 'TopicName Always Static DirectModification'],
      Display: ['Modify False', 'Of Never Dynamic ResourceReference Topic'],
      Second: ['Modify Conditional', 'TopicName Always Dynamic ResourceReference Topic'],
    });
  });

  test('that an attribute of another one may change, and not its name', async () => {
    const named = (name: string) => ({
      Thing: custom({ Name: name }),
      ByName: custom({ Of: { Ref: 'Thing' } }),
      ByAttribute: custom({ Of: { 'Fn::GetAtt': ['Thing', 'Name'] } }),
    });
    expect(await changes(named('one'), named('two'))).toEqual({
      Thing: ['Modify False', 'Name Never Static DirectModification'],
      ByAttribute: ['Modify False', 'Of Never Dynamic ResourceAttribute Thing.Name'],
    });
  });

  test('nothing where only what is around it changes', async () => {
    const kept = { Alarm: alarm({ Threshold: 1 }) };
    expect(await changes(kept, { ...kept, New: topic('new') })).toEqual({ New: ['Add'] });
  });
});
