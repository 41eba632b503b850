/** When clients that keep a connection come back on another one: spread, as pages are loaded again and networks change. */
export class Returns {
  private calls = 0;
  private startMs = 0;
  private withinMs = 0;

  /** From now on each client comes back once more. */
  call(withinMs: number): void {
    this.calls += 1;
    this.startMs = Date.now();
    this.withinMs = withinMs;
  }

  /**
   * @param share  0..1: where in the order this client is
   * @param had    how many calls it has followed
   * @returns how many it has followed when it comes back now; undefined = it is not its turn
   */
  due(share: number, had: number): number | undefined {
    return had < this.calls && Date.now() >= this.startMs + share * this.withinMs ? this.calls : undefined;
  }
}
