import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Ask until there is an answer.
 *
 * @param ask  what is awaited, or undefined or false while it is not there
 * @throws Error  it did not come within the bound; names what was awaited
 */
export async function until<T>(
  what: string,
  boundSeconds: number,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  const limit = Date.now() + boundSeconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > limit) throw new Error(`waited ${boundSeconds} s in vain until ${what}`);
    await sleep(250);
  }
}
