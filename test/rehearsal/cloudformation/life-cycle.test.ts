import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Answer, STACK, type StackHarness, startStacks, succeed, template } from './stack-harness.ts';

let stacks: StackHarness;
beforeEach(() => {
  stacks = startStacks();
});
afterEach(() => stacks.close());

const sent = () => stacks.events.map(({ RequestType, LogicalResourceId }) => `${RequestType} ${LogicalResourceId}`);
const failOn = (logicalId: string, requestType: string) => {
  stacks.respond = (event) =>
    event.LogicalResourceId === logicalId &&
    event.RequestType === requestType &&
    event.ResourceProperties.Fail === 'true'
      ? { Status: 'FAILED', Reason: 'told to', PhysicalResourceId: event.PhysicalResourceId ?? 'failed' }
      : succeed(event);
};

describe('create', () => {
  test('makes what others depend on first, and notes it as CloudFormation does', async () => {
    const status = await stacks.create(template({ B: { Name: { Ref: 'A' } }, A: { Name: 'a' } }));

    expect(status).toBe('CREATE_COMPLETE');
    expect(stacks.history({ stack: true, reasons: true })).toEqual([
      'web CREATE_IN_PROGRESS User Initiated',
      'A CREATE_IN_PROGRESS',
      'A CREATE_IN_PROGRESS Resource creation Initiated',
      'A CREATE_COMPLETE',
      'B CREATE_IN_PROGRESS',
      'B CREATE_IN_PROGRESS Resource creation Initiated',
      'B CREATE_COMPLETE',
      'web CREATE_COMPLETE',
    ]);
  });

  test('makes at the same time what does not depend on each other', async () => {
    let atOnce = 0;
    stacks.respond = async (event) => {
      atOnce += 1;
      for (let waited = 0; atOnce < 3 && waited < 2000; waited += 10) await sleep(10);
      return succeed(event) as Answer;
    };

    await stacks.create(template({ A: { Name: 'a' }, B: { Name: 'b' }, C: { Name: 'c' } }));

    expect(atOnce).toBe(3);
    expect(stacks.history().slice(0, 3)).toEqual(['A', 'B', 'C'].map((id) => `${id} CREATE_IN_PROGRESS`));
  });

  test('that fails deletes what it made, in the reverse order, and the stack can only be deleted', async () => {
    failOn('C', 'Create');

    const status = await stacks.create(
      template({
        A: { Name: 'a' },
        B: { Name: 'b', DependsOn: 'A' },
        C: { Fail: true, DependsOn: 'B' },
        D: { DependsOn: 'C' },
      }),
    );

    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(sent()).toEqual(['Create A', 'Create B', 'Create C', 'Delete C', 'Delete B', 'Delete A']);
    expect(stacks.history({ stack: true, reasons: true })).toContain(
      'web ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [C]. Rollback requested by user.',
    );
    await expect(stacks.update(template({ A: { Name: 'x' } }))).rejects.toThrow(
      'is in ROLLBACK_COMPLETE state and can not be updated.',
    );
    expect(await stacks.delete()).toBe('DELETE_COMPLETE');
  });

  test.each([
    { onFailure: 'DO_NOTHING', status: 'CREATE_FAILED', deleted: [] },
    { onFailure: 'DELETE', status: 'DELETE_COMPLETE', deleted: ['Delete B', 'Delete A'] },
  ])('that fails with OnFailure $onFailure ends in $status', async ({ onFailure, status, deleted }) => {
    failOn('B', 'Create');

    expect(
      await stacks.create(template({ A: { Name: 'a' }, B: { Fail: true, DependsOn: 'A' } }), { OnFailure: onFailure }),
    ).toBe(status);

    expect(sent().filter((line) => line.startsWith('Delete'))).toEqual(deleted);
  });

  test('is refused for a name that is taken, and allowed again after a delete', async () => {
    const one = template({ A: { Name: 'a' } });
    await stacks.create(one);
    await expect(stacks.create(one)).rejects.toMatchObject({ code: 'AlreadyExistsException' });

    await stacks.delete();

    expect(await stacks.create(one)).toBe('CREATE_COMPLETE');
  });
});

describe('update', () => {
  const before = template({ Keep: { Name: 'keep' }, Change: { Name: 'old' }, Remove: { Name: 'remove' } });

  beforeEach(async () => {
    await stacks.create(before);
    stacks.events.length = 0;
  });

  test('touches what changes alone, and removes at the end', async () => {
    const after = template({ Keep: { Name: 'keep' }, Change: { Name: 'new' }, Add: { Name: 'add' } });

    expect(await stacks.update(after)).toBe('UPDATE_COMPLETE');

    expect(sent().slice(0, 2).sort()).toEqual(['Create Add', 'Update Change']);
    expect(sent().slice(2)).toEqual(['Delete Remove']);
    const { StackResources } = await stacks.call('DescribeStackResources', { StackName: STACK });
    expect(StackResources.map((each: Answer) => each.LogicalResourceId).sort()).toEqual(['Add', 'Change', 'Keep']);
  });

  test('with nothing new is refused', async () => {
    await expect(stacks.update(before)).rejects.toMatchObject({
      code: 'ValidationError',
      message: 'No updates are to be performed.',
    });
  });

  test('that fails goes back: what was changed is changed again, what was made is deleted, what was to go stays', async () => {
    failOn('Bad', 'Create');
    const after = template({
      Keep: { Name: 'keep' },
      Change: { Name: 'new' },
      Add: { Name: 'add' },
      Bad: { Fail: true, DependsOn: ['Change', 'Add'] },
    });

    expect(await stacks.update(after)).toBe('UPDATE_ROLLBACK_COMPLETE');

    expect(sent().slice(2)).toEqual([
      'Create Bad',
      'Update Change',
      expect.stringMatching('Delete'),
      expect.stringMatching('Delete'),
    ]);
    expect(sent().slice(4).sort()).toEqual(['Delete Add', 'Delete Bad']);
    expect(
      stacks.events.find(
        ({ RequestType, ResourceProperties }) => RequestType === 'Update' && ResourceProperties.Name === 'old',
      ),
    ).toMatchObject({
      OldResourceProperties: { Name: 'new' },
    });
    expect(stacks.history({ stack: true, reasons: true })).toContain(
      'web UPDATE_ROLLBACK_IN_PROGRESS The following resource(s) failed to create: [Bad]. ',
    );
    const { StackResources } = await stacks.call('DescribeStackResources', { StackName: STACK });
    expect(StackResources.map((each: Answer) => each.LogicalResourceId).sort()).toEqual(['Change', 'Keep', 'Remove']);
    // What is deployed is the old template: to deploy it again is no change.
    await expect(stacks.update(before)).rejects.toThrow('No updates are to be performed.');
  });

  test('whose way back fails too can be continued', async () => {
    stacks.respond = (event) =>
      event.RequestType === 'Update'
        ? { Status: 'FAILED', Reason: 'no', PhysicalResourceId: event.PhysicalResourceId }
        : succeed(event);
    const after = template({ Keep: { Name: 'keep' }, Change: { Name: 'new' }, Remove: { Name: 'remove' } });

    expect(await stacks.update(after)).toBe('UPDATE_ROLLBACK_FAILED');

    stacks.respond = succeed;
    await stacks.call('ContinueUpdateRollback', { StackName: STACK });
    expect(await stacks.service.settled(STACK)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stacks.events.at(-1)).toMatchObject({ RequestType: 'Update', ResourceProperties: { Name: 'old' } });
  });

  test('that is cancelled goes back', async () => {
    stacks.respond = (event) => (event.ResourceProperties.Name === 'new' ? undefined : succeed(event));
    const after = template({ Keep: { Name: 'keep' }, Change: { Name: 'new' }, Remove: { Name: 'remove' } });
    await stacks.call('UpdateStack', { StackName: STACK, TemplateBody: JSON.stringify(after) });
    while (stacks.events.length === 0) await sleep(5);

    await stacks.call('CancelUpdateStack', { StackName: STACK });

    expect(await stacks.service.settled(STACK)).toBe('UPDATE_ROLLBACK_COMPLETE');
    expect(stacks.history({ reasons: true })).toContain('Change UPDATE_FAILED Resource update cancelled');
  });

  test('cannot begin while another one runs', async () => {
    stacks.respond = async (event) => {
      await sleep(100);
      return succeed(event) as Answer;
    };
    const after = template({ Keep: { Name: 'other' } });
    await stacks.call('UpdateStack', { StackName: STACK, TemplateBody: JSON.stringify(after) });

    await expect(stacks.update(after)).rejects.toThrow('is in UPDATE_IN_PROGRESS state and can not be updated.');

    await stacks.service.settled(STACK);
  });

  test('uses the previous template and the previous values where it is told so', async () => {
    await stacks.delete();
    const parametrized = {
      Parameters: { Name: { Type: 'String' }, Other: { Type: 'String' } },
      ...template({ Thing: { Name: { Ref: 'Name' }, Other: { Ref: 'Other' } } }),
    };
    await stacks.create(parametrized, {
      Parameters: [
        { ParameterKey: 'Name', ParameterValue: 'n' },
        { ParameterKey: 'Other', ParameterValue: 'o' },
      ],
    });
    await stacks.call('UpdateStack', {
      StackName: STACK,
      UsePreviousTemplate: true,
      Parameters: [
        { ParameterKey: 'Name', UsePreviousValue: true },
        { ParameterKey: 'Other', ParameterValue: 'new' },
      ],
    });
    await stacks.service.settled(STACK);

    expect(stacks.events.at(-1)?.ResourceProperties).toMatchObject({ Name: 'n', Other: 'new' });
  });
});

describe('replacement', () => {
  const parameter = (name: string, more: Record<string, unknown> = {}) =>
    template({
      Stored: { Type: 'AWS::SSM::Parameter', Name: name, Value: 'v', ...more },
      After: { Of: { Ref: 'Stored' } },
    });
  const typed = (name: string, more: Record<string, unknown> = {}): Answer => {
    const made: Answer = parameter(name, more);
    made.Resources.Stored.Properties.Type = 'String';
    return made;
  };
  const ssm = () => stacks.calls.map(({ name, input }) => `${name} ${input.Name}`);

  test('makes the new one, passes it on, and deletes the old one at the end', async () => {
    await stacks.create(typed('/one'));
    stacks.calls.length = 0;

    expect(await stacks.update(typed('/two'))).toBe('UPDATE_COMPLETE');

    expect(ssm()).toEqual(['ssm:PutParameter /two', 'ssm:DeleteParameter /one']);
    expect(stacks.events.at(-1)).toMatchObject({ RequestType: 'Update', ResourceProperties: { Of: '/two' } });
    expect(stacks.history({ reasons: true })).toContain(
      'Stored UPDATE_IN_PROGRESS Requested update requires the creation of a new physical resource; hence creating one.',
    );
  });

  test('that goes back deletes the new one and never touches the old one', async () => {
    await stacks.create(typed('/one'));
    stacks.calls.length = 0;
    stacks.respond = (event) =>
      event.ResourceProperties.Of === '/two'
        ? { Status: 'FAILED', Reason: 'no', PhysicalResourceId: event.PhysicalResourceId }
        : succeed(event);

    expect(await stacks.update(typed('/two'))).toBe('UPDATE_ROLLBACK_COMPLETE');

    expect(ssm()).toEqual(['ssm:PutParameter /two', 'ssm:DeleteParameter /two']);
    const { StackResourceDetail } = await stacks.call('DescribeStackResource', {
      StackName: STACK,
      LogicalResourceId: 'Stored',
    });
    expect(StackResourceDetail.PhysicalResourceId).toBe('/one');
  });

  test('keeps the old one with UpdateReplacePolicy Retain', async () => {
    await stacks.create(typed('/one', { UpdateReplacePolicy: 'Retain' }));
    stacks.calls.length = 0;

    await stacks.update(typed('/two', { UpdateReplacePolicy: 'Retain' }));

    expect(ssm()).toEqual(['ssm:PutParameter /two']);
    expect(stacks.history()).toContain('Stored DELETE_SKIPPED');
  });
});

describe('delete', () => {
  test('goes in the reverse order, and the stack is found by its id alone afterwards', async () => {
    await stacks.create(template({ A: { Name: 'a' }, B: { Name: 'b', DependsOn: 'A' } }));
    const { Stacks } = await stacks.call('DescribeStacks', { StackName: STACK });

    expect(await stacks.delete()).toBe('DELETE_COMPLETE');

    expect(sent().slice(2)).toEqual(['Delete B', 'Delete A']);
    await expect(stacks.call('DescribeStacks', { StackName: STACK })).rejects.toMatchObject({
      code: 'ValidationError',
      message: 'Stack with id web does not exist',
    });
    const gone = await stacks.call('DescribeStacks', { StackName: Stacks[0].StackId });
    expect(gone.Stacks[0].StackStatus).toBe('DELETE_COMPLETE');
  });

  test('leaves what another needs that could not be deleted', async () => {
    await stacks.create(template({ A: { Name: 'a' }, B: { Fail: true, DependsOn: 'A' }, C: { Name: 'c' } }));
    failOn('B', 'Delete');

    expect(await stacks.delete()).toBe('DELETE_FAILED');

    expect(sent().slice(3).sort()).toEqual(['Delete B', 'Delete C']);
  });

  test('skips what has DeletionPolicy Retain', async () => {
    await stacks.create(template({ A: { Name: 'a', DeletionPolicy: 'Retain' } }));

    expect(await stacks.delete()).toBe('DELETE_COMPLETE');

    expect(sent()).toEqual(['Create A']);
    expect(stacks.history().at(-1)).toBe('A DELETE_SKIPPED');
  });

  test('of a stack that is not there succeeds, and of a protected one does not', async () => {
    expect(await stacks.call('DeleteStack', { StackName: 'nobody' })).toEqual({});
    await stacks.create(template({ A: { Name: 'a' } }), { EnableTerminationProtection: true });
    await expect(stacks.delete()).rejects.toThrow('cannot be deleted while TerminationProtection is enabled');
  });
});

describe('a change set', () => {
  const make = async (type: 'CREATE' | 'UPDATE', body: unknown) => {
    await stacks.call('CreateChangeSet', {
      StackName: STACK,
      ChangeSetName: 'deploy-1',
      ChangeSetType: type,
      TemplateBody: JSON.stringify(body),
    });
    return stacks.call('DescribeChangeSet', { StackName: STACK, ChangeSetName: 'deploy-1' });
  };
  const execute = async () => {
    await stacks.call('ExecuteChangeSet', { StackName: STACK, ChangeSetName: 'deploy-1' });
    return stacks.service.settled(STACK);
  };
  const actions = ({ Changes }: Answer) =>
    Changes.map(({ ResourceChange: { Action, LogicalResourceId, Replacement } }: Answer) =>
      [Action, LogicalResourceId, Replacement].filter(Boolean).join(' '),
    );

  test('creates a stack, which is in review until then', async () => {
    const described = await make('CREATE', template({ A: { Name: 'a' } }));

    expect(described).toMatchObject({ Status: 'CREATE_COMPLETE', ExecutionStatus: 'AVAILABLE' });
    expect(actions(described)).toEqual(['Add A']);
    expect((await stacks.call('DescribeStacks', { StackName: STACK })).Stacks[0].StackStatus).toBe(
      'REVIEW_IN_PROGRESS',
    );
    expect(stacks.events).toEqual([]);
    expect(await execute()).toBe('CREATE_COMPLETE');
  });

  test('says what an update will do, and does it', async () => {
    await stacks.create(
      template({
        Same: { Name: 's' },
        Changed: { Name: 'old' },
        Gone: { Name: 'g' },
        Topic: { Type: 'AWS::SNS::Topic', TopicName: 'one' },
        After: { Of: { Ref: 'Topic' } },
      }),
    );

    const described = await make(
      'UPDATE',
      template({
        Same: { Name: 's' },
        Changed: { Name: 'new' },
        Added: { Name: 'a' },
        Topic: { Type: 'AWS::SNS::Topic', TopicName: 'two' },
        After: { Of: { Ref: 'Topic' } },
      }),
    );

    expect(actions(described).sort()).toEqual([
      'Add Added',
      'Modify After False',
      'Modify Changed False',
      'Modify Topic True',
      'Remove Gone',
    ]);
    expect(await execute()).toBe('UPDATE_COMPLETE');
  });

  test('without a change has failed, in the words that `aws cloudformation deploy` looks for', async () => {
    await stacks.create(template({ A: { Name: 'a' } }));

    const described = await make('UPDATE', template({ A: { Name: 'a' } }));

    expect(described).toMatchObject({
      Status: 'FAILED',
      StatusReason:
        "The submitted information didn't contain changes. Submit different information to create a change set.",
    });
    await expect(execute()).rejects.toMatchObject({ code: 'InvalidChangeSetStatus' });
  });

  test('that was deleted is not there', async () => {
    await make('CREATE', template({ A: { Name: 'a' } }));
    await stacks.call('DeleteChangeSet', { StackName: STACK, ChangeSetName: 'deploy-1' });
    await expect(execute()).rejects.toMatchObject({ code: 'ChangeSetNotFound', statusCode: 404 });
  });
});
