import { ServiceError } from '../aws/service.ts';
import type { Bus } from './bus.ts';
import { BUS, type RuleStore } from './rule-store.ts';

/** What the actions work with. */
export interface EventsParts {
  readonly rules: RuleStore;
  readonly bus: Bus;
}

/** @throws ServiceError ResourceNotFoundException  any bus but the default one, by name or ARN */
export function defaultBus(name: string | undefined): void {
  if (name !== undefined && name !== BUS && !name.endsWith(`:event-bus/${BUS}`)) {
    throw new ServiceError('ResourceNotFoundException', `Event bus ${name} does not exist.`);
  }
}
