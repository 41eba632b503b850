import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type Answer,
  FUNCTION_ARN,
  put,
  STACK,
  type StackHarness,
  startStacks,
  succeed,
  template,
} from './stack-harness.ts';

let stacks: StackHarness;
beforeEach(() => {
  stacks = startStacks();
});
afterEach(() => stacks.close());

const one = (properties: Record<string, unknown> = {}) => template({ Thing: { Name: 'a', ...properties } });
const requests = () => stacks.events.map(({ RequestType, PhysicalResourceId }) => [RequestType, PhysicalResourceId]);
const reasons = () => stacks.history({ reasons: true }).filter((line) => / \w+_FAILED /.test(line));

describe('a request', () => {
  test('has what the user guide lists, and a PhysicalResourceId and old properties only where there are some', async () => {
    await stacks.create(one());
    await stacks.update(one({ Name: 'b' }));
    await stacks.delete();

    const [create, update, remove] = stacks.events;
    expect(create).toEqual({
      RequestType: 'Create',
      ServiceToken: FUNCTION_ARN,
      ResponseURL: expect.stringMatching(
        /^http:\/\/127\.0\.0\.1:\d+\/cloudformation-custom-resource-response-eucentral1\//,
      ),
      StackId: expect.stringMatching(/^arn:aws:cloudformation:eu-central-1:111122223333:stack\/web\//),
      RequestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      LogicalResourceId: 'Thing',
      ResourceType: 'Custom::Thing',
      ResourceProperties: { ServiceToken: FUNCTION_ARN, Name: 'a' },
    });
    expect(update).toMatchObject({
      RequestType: 'Update',
      PhysicalResourceId: 'id-of-a',
      ResourceProperties: { Name: 'b' },
      OldResourceProperties: { Name: 'a' },
    });
    expect(remove).toMatchObject({
      RequestType: 'Delete',
      PhysicalResourceId: 'id-of-a',
      ResourceProperties: { Name: 'b' },
    });
    expect(remove).not.toHaveProperty('OldResourceProperties');
  });

  test('has every scalar as a string, at any depth', async () => {
    await stacks.create(one({ Ports: [80, 443], On: true, Deep: { Seconds: 1.5 } }));

    expect(stacks.events[0]?.ResourceProperties).toMatchObject({
      Ports: ['80', '443'],
      On: 'true',
      Deep: { Seconds: '1.5' },
    });
  });

  test('a property that becomes AWS::NoValue is absent', async () => {
    await stacks.create(one({ Maybe: { Ref: 'AWS::NoValue' }, List: ['x', { Ref: 'AWS::NoValue' }] }));

    expect(stacks.events[0]?.ResourceProperties).toEqual({ ServiceToken: FUNCTION_ARN, Name: 'a', List: ['x'] });
  });

  test('is not sent where 80 becomes "80": that is no change', async () => {
    await stacks.create(template({ Thing: { Port: 80 }, Other: { Name: 'a' } }));
    await stacks.update(template({ Thing: { Port: '80' }, Other: { Name: 'b' } }));

    expect(
      stacks.events.filter(({ RequestType }) => RequestType === 'Update').map((event) => event.LogicalResourceId),
    ).toEqual(['Other']);
  });

  test.each([
    { requestIds: 'fresh' as const, same: false },
    { requestIds: 'reused' as const, same: true },
  ])(
    'has the same RequestId when a failed deployment is tried again: $same with requestIds $requestIds',
    async ({ requestIds, same }) => {
      await stacks.close();
      stacks = startStacks({ requestIds });
      stacks.respond = ({ RequestType }) =>
        RequestType === 'Create'
          ? { Status: 'FAILED', Reason: 'not yet', PhysicalResourceId: 'id' }
          : { Status: 'SUCCESS', PhysicalResourceId: 'id' };
      await stacks.create(one());
      await stacks.delete();
      await stacks.create(one());

      const [first, second] = stacks.events.filter(({ RequestType }) => RequestType === 'Create');
      expect(first?.RequestId === second?.RequestId).toBe(same);
    },
  );
});

describe('the address for the answer', () => {
  /** Nothing is answered by itself; the test does. */
  const waiting = async () => {
    stacks.respond = () => undefined;
    const settled = stacks.create(one({ ServiceTimeout: 3 }));
    while (stacks.events.length === 0) await sleep(5);
    const [event] = stacks.events;
    if (event === undefined) throw new Error('no event');
    return { event, settled };
  };

  test.each([
    {
      what: 'a content type, since none was signed',
      init: { headers: { 'content-type': 'application/json' } },
      status: 403,
    },
    { what: 'POST', init: { method: 'POST' }, status: 403 },
    { what: 'GET', init: { method: 'GET', body: null }, status: 403 },
  ])('refuses $what', async ({ init, status }) => {
    const { event, settled } = await waiting();

    expect(await put(event, { Status: 'SUCCESS', PhysicalResourceId: 'id' }, init)).toBe(status);

    expect(await put(event, { Status: 'SUCCESS', PhysicalResourceId: 'id' })).toBe(200);
    expect(await settled).toBe('CREATE_COMPLETE');
  });

  test('refuses another signature', async () => {
    const { event, settled } = await waiting();

    const forged = { ...event, ResponseURL: event.ResponseURL.replace(/Signature=.*/, 'Signature=0') };
    expect(await put(forged, { Status: 'SUCCESS', PhysicalResourceId: 'id' })).toBe(403);

    await put(event, { Status: 'SUCCESS', PhysicalResourceId: 'id' });
    await settled;
  });

  test('takes a late and a second answer, and the first one counts', async () => {
    const { event, settled } = await waiting();

    await put(event, { Status: 'SUCCESS', PhysicalResourceId: 'first' });
    expect(await put(event, { Status: 'FAILED', Reason: 'too late', PhysicalResourceId: 'second' })).toBe(200);

    expect(await settled).toBe('CREATE_COMPLETE');
  });
});

describe('an answer', () => {
  test('gives Ref and Fn::GetAtt', async () => {
    await stacks.create({
      ...one(),
      Outputs: {
        Id: { Value: { Ref: 'Thing' } },
        Name: { Value: { 'Fn::GetAtt': ['Thing', 'Name'] } },
        Count: { Value: { 'Fn::Sub': `n=\${Thing.Count}` } },
      },
    });

    expect(await stacks.outputs()).toEqual({ Id: 'id-of-a', Name: 'a', Count: 'n=3' });
  });

  test('without the attribute that an output reads fails the stack', async () => {
    const status = await stacks.create({
      ...one(),
      Outputs: { Bad: { Value: { 'Fn::GetAtt': ['Thing', 'Nothing'] } } },
    });

    expect(status).toBe('ROLLBACK_COMPLETE');
    expect(stacks.history({ stack: true, reasons: true }).join('\n')).toContain(
      "CustomResource attribute error: Vendor response doesn't contain Nothing attribute",
    );
  });

  test.each([
    {
      what: 'FAILED',
      answer: { Status: 'FAILED', Reason: 'no such load balancer', PhysicalResourceId: 'mine' },
      reason:
        /^Thing CREATE_FAILED Received response status \[FAILED\] from custom resource\. Message returned: no such load balancer \(RequestId: [0-9a-f-]{36}\)$/,
      deleted: 'mine',
    },
    {
      what: 'SUCCESS without PhysicalResourceId',
      answer: { Status: 'SUCCESS' },
      reason: /Invalid PhysicalResourceId$/,
      deleted: expect.stringMatching(/^web-Thing-[A-Z0-9]{12}$/),
    },
    {
      what: 'an empty PhysicalResourceId',
      answer: { Status: 'SUCCESS', PhysicalResourceId: '' },
      reason: /Invalid PhysicalResourceId$/,
      deleted: expect.stringMatching(/^web-Thing-/),
    },
    {
      what: 'a PhysicalResourceId of more than 1 KB',
      answer: { Status: 'SUCCESS', PhysicalResourceId: 'x'.repeat(1025) },
      reason: /Invalid PhysicalResourceId$/,
      deleted: expect.stringMatching(/^web-Thing-/),
    },
  ])('$what to a Create: the Create fails, and a Delete follows', async ({ answer, reason, deleted }) => {
    stacks.respond = (event) => (event.RequestType === 'Create' ? answer : succeed(event));

    expect(await stacks.create(one())).toBe('ROLLBACK_COMPLETE');

    expect(reasons()).toEqual([expect.stringMatching(reason)]);
    expect(requests()).toEqual([
      ['Create', undefined],
      ['Delete', deleted],
    ]);
  });

  const never =
    /CloudFormation did not receive a response from your Custom Resource\. Please check your logs for requestId/;
  test.each([
    { what: 'none at all', answer: undefined },
    {
      what: 'one of more than 4,096 bytes',
      answer: { Status: 'SUCCESS', PhysicalResourceId: 'id', Data: { Text: 'x'.repeat(4096) } },
    },
    { what: 'one to another request', answer: { Status: 'SUCCESS', PhysicalResourceId: 'id', RequestId: 'other' } },
    { what: 'one with a status that does not exist', answer: { Status: 'OK', PhysicalResourceId: 'id' } },
  ])('$what: failed when ServiceTimeout is over, and a Delete follows with an id made up', async ({ answer }) => {
    stacks.respond = (event) => (event.RequestType === 'Create' ? answer : succeed(event));

    expect(await stacks.create(one({ ServiceTimeout: 1 }))).toBe('ROLLBACK_COMPLETE');

    expect(reasons()).toEqual([expect.stringMatching(never)]);
    expect(requests()).toEqual([
      ['Create', undefined],
      ['Delete', expect.stringMatching(/^web-Thing-[A-Z0-9]{12}$/)],
    ]);
  });

  test('of exactly 4,096 bytes is one', async () => {
    stacks.respond = ({ StackId, RequestId, LogicalResourceId }) => {
      const response = {
        StackId,
        RequestId,
        LogicalResourceId,
        Status: 'SUCCESS',
        PhysicalResourceId: 'id',
        Data: { Text: '' },
      };
      response.Data.Text = 'x'.repeat(4096 - JSON.stringify(response).length);
      return response;
    };

    expect(await stacks.create(one({ ServiceTimeout: 1 }))).toBe('CREATE_COMPLETE');
  });

  test('that is too long fails at once where the option says so', async () => {
    await stacks.close();
    stacks = startStacks({ oversizedResponse: 'failed' });
    stacks.respond = (event) =>
      event.RequestType === 'Create' ? { Status: 'SUCCESS', PhysicalResourceId: 'x'.repeat(4096) } : succeed(event);

    expect(await stacks.create(one())).toBe('ROLLBACK_COMPLETE');
    expect(reasons()).toEqual(['Thing CREATE_FAILED Response object is too long.']);
  });

  test('with another PhysicalResourceId to an Update: the old one is deleted after everything else', async () => {
    const both = (name: string) => template({ Thing: { Name: name }, After: { Of: { Ref: 'Thing' } } });
    stacks.respond = ({ ResourceProperties }) => ({
      Status: 'SUCCESS',
      PhysicalResourceId: `id-of-${ResourceProperties.Name}`,
    });
    await stacks.create(both('a'));
    stacks.events.length = 0;

    expect(await stacks.update(both('b'))).toBe('UPDATE_COMPLETE');

    expect(
      stacks.events.map((event) => [event.LogicalResourceId, event.RequestType, event.PhysicalResourceId]),
    ).toEqual([
      ['Thing', 'Update', 'id-of-a'],
      ['After', 'Update', 'id-of-undefined'],
      ['Thing', 'Delete', 'id-of-a'],
    ]);
    expect(stacks.events.at(-1)?.ResourceProperties).toMatchObject({ Name: 'a' });
    expect(stacks.history({ stack: true }).slice(-4)).toEqual([
      'web UPDATE_COMPLETE_CLEANUP_IN_PROGRESS',
      'Thing DELETE_IN_PROGRESS',
      'Thing DELETE_COMPLETE',
      'web UPDATE_COMPLETE',
    ]);
  });

  test('FAILED to an Update: a second Update with old and new swapped, and no Delete', async () => {
    await stacks.create(one());
    stacks.events.length = 0;
    stacks.respond = (event) =>
      event.ResourceProperties.Name === 'b'
        ? { Status: 'FAILED', Reason: 'no', PhysicalResourceId: 'id-of-a' }
        : succeed(event);

    expect(await stacks.update(one({ Name: 'b' }))).toBe('UPDATE_ROLLBACK_COMPLETE');

    expect(
      stacks.events.map(({ RequestType, PhysicalResourceId, OldResourceProperties, ResourceProperties }) => [
        RequestType,
        PhysicalResourceId,
        OldResourceProperties?.Name,
        ResourceProperties.Name,
      ]),
    ).toEqual([
      ['Update', 'id-of-a', 'a', 'b'],
      ['Update', 'id-of-a', 'b', 'a'],
    ]);
  });

  test('FAILED to a Delete: the stack stays, and can be deleted without the resource', async () => {
    await stacks.create(one());
    stacks.respond = () => ({ Status: 'FAILED', Reason: 'still in use', PhysicalResourceId: 'id-of-a' });

    expect(await stacks.delete()).toBe('DELETE_FAILED');
    expect(stacks.history({ stack: true, reasons: true }).at(-1)).toBe(
      'web DELETE_FAILED The following resource(s) failed to delete: [Thing]. ',
    );

    const { Stacks } = await stacks.call('DescribeStacks', { StackName: STACK });
    await stacks.call('DeleteStack', { StackName: STACK, RetainResources: ['Thing'] });
    expect(await stacks.service.settled(Stacks[0].StackId)).toBe('DELETE_COMPLETE');
  });

  test('to a Delete comes on another try', async () => {
    await stacks.close();
    stacks = startStacks({ deleteAttempts: 3 });
    await stacks.create(one());
    stacks.respond = (event) =>
      stacks.events.length < 4
        ? { Status: 'FAILED', Reason: 'not yet', PhysicalResourceId: 'id-of-a' }
        : succeed(event);

    expect(await stacks.delete()).toBe('DELETE_COMPLETE');
    expect(requests().map(([type]) => type)).toEqual(['Create', 'Delete', 'Delete', 'Delete']);
  });
});

describe('a Create that is under way', () => {
  const two = template({ Slow: { Name: 'slow' }, Bad: { Name: 'bad' } });

  test('gets its Delete, with an id made up, when another resource fails', async () => {
    stacks.respond = async (event) => {
      if (event.RequestType === 'Delete') return succeed(event) as Answer;
      if (event.LogicalResourceId === 'Slow') return undefined;
      await sleep(50);
      return { Status: 'FAILED', Reason: 'bad', PhysicalResourceId: 'bad' } as Answer;
    };

    expect(await stacks.create(two)).toBe('ROLLBACK_COMPLETE');

    expect(reasons()).toContain('Slow CREATE_FAILED Resource creation cancelled');
    expect(
      stacks.events.find((event) => event.LogicalResourceId === 'Slow' && event.RequestType === 'Delete')
        ?.PhysicalResourceId,
    ).toMatch(/^web-Slow-[A-Z0-9]{12}$/);
  });

  test('gets its Delete when the stack is deleted', async () => {
    stacks.respond = (event) => (event.RequestType === 'Create' ? undefined : succeed(event));
    const { StackId } = await stacks.call('CreateStack', { StackName: STACK, TemplateBody: JSON.stringify(one()) });
    while (stacks.events.length === 0) await sleep(5);

    await stacks.call('DeleteStack', { StackName: STACK });

    expect(await stacks.service.settled(StackId)).toBe('DELETE_COMPLETE');
    expect(requests()).toEqual([
      ['Create', undefined],
      ['Delete', expect.stringMatching(/^web-Thing-/)],
    ]);
    expect(stacks.history({ stack: true })).toEqual([
      'web CREATE_IN_PROGRESS',
      'Thing CREATE_IN_PROGRESS',
      'web DELETE_IN_PROGRESS',
      'Thing CREATE_FAILED',
      'Thing DELETE_IN_PROGRESS',
      'Thing DELETE_COMPLETE',
      'web DELETE_COMPLETE',
    ]);
  });
});

describe('refused without a call to the function', () => {
  test.each([
    {
      what: 'a ServiceToken that is no function',
      properties: { ServiceToken: 'arn:aws:sns:eu-central-1:1:t' },
      reason: 'Invalid service token',
    },
    {
      what: 'a ServiceTimeout of 0',
      properties: { ServiceTimeout: 0 },
      reason: 'ServiceTimeout must be from 1 to 3600',
    },
    {
      what: 'a ServiceTimeout of more than an hour',
      properties: { ServiceTimeout: '3601' },
      reason: 'ServiceTimeout must be',
    },
  ])('$what', async ({ properties, reason }) => {
    // The Delete of a resource like that cannot be sent either, and on AWS the rollback then fails as well.
    await stacks.create(one(properties), { OnFailure: 'DO_NOTHING' });

    expect(reasons().join()).toContain(reason);
    expect(stacks.events).toEqual([]);
  });

  test('an Update to another ServiceToken', async () => {
    await stacks.create(one());
    await stacks.update(one({ ServiceToken: `${FUNCTION_ARN}-2` }));

    expect(reasons()[0]).toBe('Thing UPDATE_FAILED Modifying service token is not allowed.');
  });
});
