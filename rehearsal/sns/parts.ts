import type { Dispatcher } from '../aws/service.ts';
import type { TopicStore } from './topic-store.ts';

/** What the actions work with. */
export interface SnsParts {
  readonly store: TopicStore;
  readonly dispatcher: () => Dispatcher;
  readonly now: () => number;
}
