/** What is remembered of a request: how it is known again, what follows it, and in which words it stands in Systems Manager. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { forget, type Recall, recall, remember } from '../../../functions/proxy-protocol/request-memory.ts';
import { FakeAws, FakeError } from '../fake-aws.ts';
import { createEvent, deleteEvent, updateEvent } from './events.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

let aws: FakeAws;

beforeEach(() => {
  aws = new FakeAws();
});

async function memoryOf(recalled: Promise<Recall>) {
  const found = await recalled;
  if (found.kind === 'superseded') throw new TypeError('the request is superseded');
  return found.memory;
}

test('a new request begins with a time to answer by and a token to start with', async () => {
  expect(await recall(aws.ssm, createEvent(), 7)).toEqual({
    kind: 'current',
    memory: {
      identity: expect.stringMatching(/^[0-9a-f]{16}$/),
      deadline: 7,
      clientToken: expect.stringMatching(UUID),
      superseded: [],
    },
  });
});

test('it stands in a parameter of its resource’s, as text, in words', async () => {
  const memory = await memoryOf(recall(aws.ssm, createEvent(), 7));

  const Name = expect.stringMatching(/^\/proxyflip\/requests\/[0-9a-f]{32}$/);
  expect(aws.calls.map(({ action, input }) => ({ [action]: input }))).toEqual([
    { GetParameter: { Name } },
    {
      PutParameter: {
        Name,
        Description: 'The request of ProxyProtocol that proxyflip is working on.',
        Value: JSON.stringify(memory),
        Type: 'String',
        Overwrite: true,
      },
    },
  ]);
});

test('two resources of a stack, and those of two stacks, have a parameter each', async () => {
  const events = [createEvent(), { ...createEvent(), LogicalResourceId: 'Other' }, { ...createEvent(), StackId: 'x' }];
  for (const event of events) await recall(aws.ssm, event, 7);

  expect(aws.parameters.size).toBe(3);
});

describe('a request that comes again', () => {
  test('is known, with all that was remembered of it', async () => {
    const memory = await memoryOf(recall(aws.ssm, createEvent(), 7));
    await remember(aws.ssm, createEvent(), { ...memory, executionId: 'run-1' });

    expect(await recall(aws.ssm, createEvent(), 99)).toEqual({
      kind: 'current',
      memory: { ...memory, executionId: 'run-1' },
    });
  });

  test('is another one where it is of another kind, has another address, or other properties', async () => {
    const events = [
      createEvent(),
      updateEvent(),
      deleteEvent(),
      createEvent({ request: '2' }),
      createEvent({ properties: { FinalMode: 'both' } }),
    ];
    const identities = [];
    for (const event of events) identities.push((await memoryOf(recall(new FakeAws().ssm, event, 7))).identity);

    expect(new Set(identities).size).toBe(events.length);
  });
});

describe('a request that follows another', () => {
  test('knows what that has started, which may still be at work', async () => {
    const first = await memoryOf(recall(aws.ssm, createEvent(), 7));
    await remember(aws.ssm, createEvent(), { ...first, executionId: 'run-1' });

    const second = await memoryOf(recall(aws.ssm, updateEvent(), 8));
    expect(second).toMatchObject({ previousExecutionId: 'run-1', superseded: [first.identity] });
    expect(second).not.toHaveProperty('executionId');
    expect(second.clientToken).not.toBe(first.clientToken);

    // One that has started nothing itself passes on what it knew.
    expect(await memoryOf(recall(aws.ssm, deleteEvent(), 9))).toMatchObject({
      previousExecutionId: 'run-1',
      superseded: [second.identity, first.identity],
    });
    expect(await recall(aws.ssm, createEvent(), 10)).toEqual({ kind: 'superseded' });
  });

  test('remembers the newest ten before it', async () => {
    const identities = [];
    for (let request = 1; request <= 12; request += 1) {
      identities.unshift((await memoryOf(recall(aws.ssm, updateEvent({ request: String(request) }), 7))).identity);
    }

    const last = await memoryOf(recall(aws.ssm, updateEvent({ request: '12' }), 7));
    expect(last.superseded).toEqual(identities.slice(1, 11));
  });
});

test('a request that was forgotten already is forgotten; any other error is one', async () => {
  await recall(aws.ssm, createEvent(), 7);
  await forget(aws.ssm, createEvent());
  await forget(aws.ssm, createEvent());
  expect(aws.parameters.size).toBe(0);

  aws.fault = (action) => {
    if (action !== 'PutParameter') throw new FakeError('AccessDenied');
  };
  await expect(forget(aws.ssm, createEvent())).rejects.toThrow('fake AccessDenied');
  await expect(recall(aws.ssm, createEvent(), 7)).rejects.toThrow('fake AccessDenied');
});
