/** Service Authorization Reference, Amazon EventBridge. */
import { arn } from './arn.ts';
import type { Requirements } from './index.ts';

export const events: Requirements = {
  PutEvents: ({ Entries }) =>
    Entries.map(({ EventBusName = 'default' }: { EventBusName?: string }) => ({
      action: 'events:PutEvents',
      resource: EventBusName.startsWith('arn:') ? EventBusName : arn('events', `event-bus/${EventBusName}`),
    })),
};
