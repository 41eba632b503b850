/** Starts things at a fixed rate by the clock, whatever becomes of those that were started before. */
export interface OpenLoopOptions {
  /** Unit: per second. 0 starts nothing. */
  readonly perSecond: number;
  readonly maxInFlight: number;
  readonly stop: AbortSignal;
  /** Start the n-th, from 0; `dueMs` is when it should have been. Resolves when it has ended, whatever the outcome. */
  readonly start: (index: number, dueMs: number) => Promise<void>;
  /** It was the n-th's turn, but `maxInFlight` are under way: it is started when one of them has ended. Once for each. */
  readonly onCapReached: () => void;
  /** After each start. `lateMs`: how long after it was due. */
  readonly onStarted?: (lateMs: number, inFlight: number) => void;
  readonly now?: () => number;
}

/**
 * A timer that fires late is made up for by starting everything that became due meanwhile, so the rate holds and nothing
 * is left out; how late is reported. (An interval that starts one each would slow down exactly when the servers do.)
 *
 * Resolves when it was told to stop and everything that was started has ended.
 */
export function runOpenLoop(options: OpenLoopOptions): Promise<void> {
  const { perSecond, maxInFlight, stop, start, onCapReached, onStarted, now = Date.now } = options;
  if (perSecond <= 0) return Promise.resolve();
  const firstMs = now();
  let started = 0;
  let inFlight = 0;
  let heldBack = -1;

  return new Promise((resolve) => {
    const endIfDone = (): void => {
      if (stop.aborted && inFlight === 0) {
        clearInterval(timer);
        stop.removeEventListener('abort', endIfDone);
        resolve();
      }
    };
    const tick = (): void => {
      const due = Math.floor(((now() - firstMs) * perSecond) / 1000) + 1;
      while (started < due && !stop.aborted) {
        if (inFlight >= maxInFlight) {
          for (heldBack = Math.max(heldBack, started - 1); heldBack < due - 1; heldBack += 1) onCapReached();
          break;
        }
        const dueMs = firstMs + (started * 1000) / perSecond;
        inFlight += 1;
        void start(started, dueMs).finally(() => {
          inFlight -= 1;
          endIfDone();
        });
        onStarted?.(now() - dueMs, inFlight);
        started += 1;
      }
      endIfDone();
    };
    const timer = setInterval(tick, 2);
    stop.addEventListener('abort', endIfDone);
    tick();
  });
}
