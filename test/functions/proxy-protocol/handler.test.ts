/** One invocation: what it logs, whom it answers for a request that fails, and how it hands on to the next one. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { FUNCTION_NAME, MINUTE, Play } from './driver.ts';
import { createEvent, deleteEvent, ID, STACK_ID, updateEvent } from './events.ts';

const REQUEST = {
  StackId: STACK_ID,
  LogicalResourceId: 'ProxyProtocol',
  RequestId: 'a-request-id-that-is-given-again',
};

let play: Play;

beforeEach(() => {
  play = new Play();
});

describe('the log', () => {
  test('has the request, what was started for it, and the answer', async () => {
    await play.deliver(createEvent());

    expect(play.logged).toEqual([
      { message: 'request', RequestType: 'Create', ...REQUEST },
      { message: 'started', executionId: 'execution-1', direction: 'enable' },
      { message: 'answer', status: 'SUCCESS', physicalResourceId: ID, reason: 'PROXY protocol is on.' },
    ]);
  });

  test('has why a request failed, and where', async () => {
    await play.deliver(createEvent({ properties: { FinalMode: 'plain' } }));

    const reason = 'ERR_INVALID_PROPERTY: property FinalMode is "plain"; allowed: one of proxy, both.';
    expect(play.logged).toEqual([
      { message: 'request', RequestType: 'Create', ...REQUEST },
      { message: 'failed', error: reason, stack: expect.stringContaining('at parseProperties') },
      { message: 'answer', status: 'FAILED', physicalResourceId: ID, reason },
    ]);
  });

  test('has that a request came too late to be answered', async () => {
    await play.deliver(createEvent({ request: '1' }));
    await play.deliver(updateEvent({ request: '2' }));
    play.logged.length = 0;

    await play.deliver(createEvent({ request: '1' }));

    expect(play.logged).toEqual([
      { message: 'request', RequestType: 'Create', ...REQUEST },
      { message: 'superseded', RequestId: REQUEST.RequestId },
    ]);
    expect(play.answers).toHaveLength(2);
  });
});

describe('a request that fails', () => {
  const NONE = 'ProxyProtocol-without-load-balancer';
  test.each([
    ['a Create has the load balancer’s id', createEvent({ properties: { FinalMode: 'plain' } }), ID],
    ['a Create without a name has one of its own', createEvent({ properties: { LoadBalancerName: undefined } }), NONE],
    ['with an empty name, too', createEvent({ properties: { LoadBalancerName: '' } }), NONE],
    ['with a name that is no text, too', createEvent({ properties: { LoadBalancerName: ['web'] } }), NONE],
    [
      'with a name that is too long, as much of it as CloudFormation takes',
      createEvent({ properties: { LoadBalancerName: 'w'.repeat(2000) } }),
      `${ID.slice(0, -'web'.length)}${'w'.repeat(2000)}`.slice(0, 1000),
    ],
    [
      'an Update that names another load balancer has that one’s, for which the rollback sends a Delete',
      updateEvent({ properties: { LoadBalancerName: 'blue', FinalMode: 'plain' } }),
      ID.replace('web', 'blue'),
    ],
    [
      'a Delete keeps the id that it came with',
      deleteEvent({ properties: { FinalMode: 'plain' }, physicalResourceId: 'an-id-of-old' }),
      'an-id-of-old',
    ],
  ])('%s', async (_, event, id) => {
    play.setState();

    await play.deliver(event);

    expect(play.answers.map((each) => [each.Status, each.PhysicalResourceId])).toEqual([['FAILED', id]]);
  });
});

test('an invocation hands the event as it is on to the next one, a minute before it ends', async () => {
  play.runbook.durationMs = Number.POSITIVE_INFINITY;
  const from = play.aws.now;

  await play.invoke(createEvent());

  expect(
    play.aws.invoked.map(({ Payload, ...rest }) => ({ ...rest, event: JSON.parse(new TextDecoder().decode(Payload)) })),
  ).toEqual([{ FunctionName: FUNCTION_NAME, InvocationType: 'Event', event: createEvent() }]);
  expect(play.aws.now - from).toBe(14 * MINUTE);
  expect(play.answers).toEqual([]);
});
