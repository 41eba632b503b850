/** Steps one after another, in the order in which they were asked for; one that fails holds up none behind it. */
export class InOrder {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => {});
    return result;
  }
}
