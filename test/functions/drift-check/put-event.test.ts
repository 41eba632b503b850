import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { expect, test } from '@jest/globals';
import { putEvent } from '../../../functions/drift-check/put-event.ts';

/** @param answer  of PutEvents */
function eventsThat(answer: object) {
  const sent: unknown[] = [];
  const send = async ({ input }: { input: unknown }) => {
    sent.push(input);
    return answer;
  };
  return { sent, events: { send } as unknown as EventBridgeClient };
}

test.each([
  ['counts no failure', { FailedEntryCount: 0, Entries: [{ EventId: '1' }] }],
  ['does not count', {}],
])('an event goes out under the name that the rules look for; the answer %s', async (_desc, answer) => {
  const { sent, events } = eventsThat(answer);
  await putEvent(events, 'proxyflip drift', { loadBalancer: 'web' });

  expect(sent).toEqual([
    { Entries: [{ Source: 'proxyflip', DetailType: 'proxyflip drift', Detail: '{"loadBalancer":"web"}' }] },
  ]);
});

test('one that EventBridge did not take, and answered to as if it had, is an error', async () => {
  const Entries = [{ ErrorCode: 'InternalFailure', ErrorMessage: 'try again' }];
  const { events } = eventsThat({ FailedEntryCount: 1, Entries });

  await expect(putEvent(events, 'proxyflip drift', {})).rejects.toThrow(
    'ERR_EVENT_NOT_TAKEN: EventBridge did not take the event "proxyflip drift" (InternalFailure: try again). The next check says it again.',
  );
});
