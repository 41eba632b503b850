/** An event of ours on the default bus, where the template's rules look for it. */
import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { ProxyflipError } from '../shared/errors.ts';

/** @throws ERR_EVENT_NOT_TAKEN  the call succeeds also where the one entry in it does not */
export async function putEvent(events: EventBridgeClient, detailType: string, detail: object): Promise<void> {
  const { FailedEntryCount = 0, Entries = [] } = await events.send(
    new PutEventsCommand({
      Entries: [{ Source: 'proxyflip', DetailType: detailType, Detail: JSON.stringify(detail) }],
    }),
  );
  if (FailedEntryCount === 0) return;
  const { ErrorCode, ErrorMessage } = Entries[0] ?? {};
  throw new ProxyflipError(
    'ERR_EVENT_NOT_TAKEN',
    `EventBridge did not take the event ${JSON.stringify(detailType)} (${ErrorCode}: ${ErrorMessage}). The next check says it again.`,
  );
}
