/** What is on its way out of a load balancer: it gets nothing new, and what it has is ended when its time is up. */

export interface DrainingOptions {
  /** End what is still carried to it. */
  readonly end: (key: string) => void;
  /** Whether nothing is carried to it any more: then it is not waited for. Default: never asked. */
  readonly isIdle?: (key: string) => Promise<boolean>;
}

const IDLE_POLL_MS = 500;

export class Draining {
  readonly #options: DrainingOptions;
  readonly #timers = new Map<string, { readonly end: NodeJS.Timeout; readonly poll: NodeJS.Timeout | undefined }>();

  constructor(options: DrainingOptions) {
    this.#options = options;
  }

  get keys(): readonly string[] {
    return [...this.#timers.keys()];
  }

  /** @param seconds  undefined = what it has is ended at once */
  begin(key: string, seconds: number | undefined): void {
    this.cancel(key);
    if (seconds === undefined) {
      this.#options.end(key);
      return;
    }
    const end = setTimeout(() => {
      this.cancel(key);
      this.#options.end(key);
    }, seconds * 1000);
    this.#timers.set(key, { end, poll: this.#pollIdle(key) });
  }

  /** It is back, or gone altogether. */
  cancel(key: string): void {
    const timers = this.#timers.get(key);
    clearTimeout(timers?.end);
    clearInterval(timers?.poll);
    this.#timers.delete(key);
  }

  close(): void {
    for (const key of this.keys) this.cancel(key);
  }

  #pollIdle(key: string): NodeJS.Timeout | undefined {
    const { isIdle } = this.#options;
    if (isIdle === undefined) return undefined;
    return setInterval(() => {
      // A node that cannot say it now is asked again.
      isIdle(key).then(
        (isDone) => isDone && this.cancel(key),
        () => {},
      );
    }, IDLE_POLL_MS);
  }
}
