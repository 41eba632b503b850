/**
 * Loaded before the handler of a function whose waits are to be short (`divideTimers`): what waits a minute then waits some seconds.
 * The clock itself stays as it is. For faults that an SDK or a handler waits out, one after the other.
 */
const divisor = Number(process.env.TIMERS_DIVIDED_BY);
const { setTimeout: original } = globalThis;
globalThis.setTimeout = ((run: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
  original(run, ms / divisor, ...args)) as typeof setTimeout;
