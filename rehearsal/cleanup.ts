/**
 * What was started, to be ended in the opposite order, whatever happened in between: AsyncDisposableStack, which Node.js 20
 * does not have.
 */
export class Cleanup implements AsyncDisposable {
  readonly #steps: { what: string; step: () => Promise<unknown> | unknown }[] = [];

  /** `what` stands in the message if it cannot be ended. */
  add(what: string, step: () => Promise<unknown> | unknown): void {
    this.#steps.push({ what, step });
  }

  use<T extends AsyncDisposable>(what: string, disposable: T): T {
    this.add(what, () => disposable[Symbol.asyncDispose]());
    return disposable;
  }

  /** Every step is tried, also after one that failed. @throws AggregateError  of those that failed */
  async [Symbol.asyncDispose](): Promise<void> {
    const errors: Error[] = [];
    for (let each = this.#steps.pop(); each !== undefined; each = this.#steps.pop()) {
      try {
        await each.step();
      } catch (cause) {
        errors.push(new Error(`${each.what} could not be ended`, { cause }));
      }
    }
    if (errors.length > 0) throw new AggregateError(errors, errors.map((error) => error.message).join('; '));
  }
}
