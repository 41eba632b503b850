import { defaultBus, type EventsParts } from '../parts.ts';

/** EnableRule and DisableRule. */
export const enableRule =
  (isEnabled: boolean) =>
  ({ rules }: EventsParts) =>
  (input: { readonly Name?: string; readonly EventBusName?: string }) => {
    defaultBus(input.EventBusName);
    rules.get(input.Name ?? '').isEnabled = isEnabled;
    return {};
  };
