/** Service Authorization Reference, Amazon EventBridge. */
import { arn } from './arn.ts';
import type { Requirements } from './index.ts';

export const events: Requirements = {
  PutEvents: ({ Entries }) =>
    Entries.map(({ EventBusName = 'default', Source = '' }: { EventBusName?: string; Source?: string }) => ({
      action: 'events:PutEvents',
      context: { 'events:source': Source },
      resource: EventBusName.startsWith('arn:') ? EventBusName : arn('events', `event-bus/${EventBusName}`),
    })),
};
