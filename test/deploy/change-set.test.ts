import type { Change } from '@aws-sdk/client-cloudformation';
import { CloudFormationClient, CreateChangeSetCommand, DescribeChangeSetCommand } from '@aws-sdk/client-cloudformation';
import { beforeEach, describe, expect, test } from '@jest/globals';
import { mockClient } from 'aws-sdk-client-mock';
import { createChangeSet, describeChanges } from '../../deploy/change-set.ts';

const client = new CloudFormationClient({ region: 'eu-central-1' });
const mock = mockClient(client);
const input = { StackName: 's', ChangeSetName: 'c' };
const noClock = { now: () => 0, sleep: async () => {} };

const change = (Action: 'Add' | 'Modify' | 'Remove', id: string, more: object = {}): Change => ({
  Type: 'Resource',
  ResourceChange: { Action, LogicalResourceId: id, ResourceType: 'AWS::X::Y', ...more },
});

beforeEach(() => {
  mock.reset();
  mock.on(CreateChangeSetCommand).resolves({ Id: 'arn:c', StackId: 'arn:s' });
});

describe('a change set', () => {
  test('is waited for, and read to its last page', async () => {
    mock
      .on(DescribeChangeSetCommand)
      .resolvesOnce({ Status: 'CREATE_IN_PROGRESS' })
      .resolvesOnce({ Status: 'CREATE_COMPLETE', Changes: [change('Add', 'A')], NextToken: 'n' })
      .resolvesOnce({ Status: 'CREATE_COMPLETE', Changes: [change('Add', 'B')] });

    const { id, stackId, changes } = await createChangeSet(client, noClock, input);

    expect({ id, stackId }).toEqual({ id: 'arn:c', stackId: 'arn:s' });
    expect(changes.map(({ ResourceChange }) => ResourceChange?.LogicalResourceId)).toEqual(['A', 'B']);
  });

  test.each([
    "The submitted information didn't contain changes. Submit different information to create a change set.",
    'No updates are to be performed.',
  ])('without changes is none that failed: %s', async (StatusReason) => {
    mock.on(DescribeChangeSetCommand).resolves({ Status: 'FAILED', StatusReason });
    expect((await createChangeSet(client, noClock, input)).changes).toEqual([]);
  });

  test('that failed says why, in CloudFormation’s words', async () => {
    mock.on(DescribeChangeSetCommand).resolves({ Status: 'FAILED', StatusReason: 'Template error: no' });
    await expect(createChangeSet(client, noClock, input)).rejects.toThrow(
      'ERR_CHANGE_SET: CloudFormation could not make the change set: Template error: no',
    );
  });

  test('that is never ready is given up', async () => {
    let now = 0;
    mock.on(DescribeChangeSetCommand).resolves({ Status: 'CREATE_PENDING' });
    const clock = {
      now: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
    await expect(createChangeSet(client, clock, input)).rejects.toThrow('still in CREATE_PENDING after 300 s');
  });

  test('is shown with what is replaced or removed first, and why', () => {
    const details = (...names: string[]) => ({
      Details: names.map((Name) => ({ Target: { Attribute: 'Properties', Name } })),
    });
    expect(
      describeChanges([
        change('Add', 'New'),
        change('Modify', 'Changed', { Replacement: 'False', ...details('Code', 'Code', 'Timeout') }),
        change('Remove', 'Gone'),
        change('Modify', 'Follower', {
          Replacement: 'False',
          Details: [{ Target: { Name: 'Role' }, Evaluation: 'Dynamic' }],
        }),
        change('Modify', 'Perhaps', { Replacement: 'Conditional' }),
        change('Modify', 'Other', { Replacement: 'True', ...details('Name') }),
      ] as Change[]),
    ).toEqual([
      'replace   AWS::X::Y  Other  (Name)',
      'replace?  AWS::X::Y  Perhaps',
      'remove    AWS::X::Y  Gone',
      'change    AWS::X::Y  Changed  (Code, Timeout)',
      'change?   AWS::X::Y  Follower  (Role)',
      'add       AWS::X::Y  New',
    ]);
  });
});
