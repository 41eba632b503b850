import { setTimeout as sleep } from 'node:timers/promises';

/** @throws AbortError  interrupted meanwhile */
export function pause(milliseconds: number, interrupted: AbortSignal): Promise<void> {
  return sleep(milliseconds, undefined, { signal: interrupted });
}
