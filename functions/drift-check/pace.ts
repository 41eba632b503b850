/**
 * The function's own limit on calls. The Describe calls of Elastic Load Balancing and Systems Manager share one unpublished budget with
 * everybody in the account; a check of a thousand load balancers that takes all of it stops deployments.
 */
import type { Clock } from '../shared/clock.ts';

/** Resolves when it is this call's turn: so many a second, evenly, in the order in which they ask. */
export function createPace(clock: Clock, callsPerSecond: number): () => Promise<void> {
  const gapMs = 1000 / callsPerSecond;
  let next = 0;
  return async () => {
    const now = clock.now();
    const turn = Math.max(now, next);
    next = turn + gapMs;
    if (turn > now) await clock.sleep(turn - now);
  };
}

/** What all the SDK's clients have; each types its middleware by its own commands, which nothing here looks at. */
interface Client {
  readonly middlewareStack: { add(middleware: never, options: never): void };
}

type Handler = (args: unknown) => Promise<unknown>;

/**
 * Every attempt of this client waits for its turn and is counted by its command's name: behind the SDK's retries, so that those count, too.
 */
export function paced<Any extends Client>(
  client: Any,
  awaitTurn: () => Promise<void>,
  count: (name: string) => void,
): Any {
  const middleware =
    (next: Handler, { commandName = 'unknown' }: { readonly commandName?: string }): Handler =>
    async (args) => {
      await awaitTurn();
      count(commandName.replace(/Command$/, ''));
      return next(args);
    };
  const options = { step: 'finalizeRequest', name: 'pace', priority: 'low' };
  client.middlewareStack.add(middleware as never, options as never);
  return client;
}
