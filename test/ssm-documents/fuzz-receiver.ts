/** What the short and the long run have in common. */
import { expect } from '@jest/globals';
import fc from 'fast-check';
import { APPLICATION_PORT, type FuzzStage, MACHINE } from './fuzz-stage.ts';
import { type FuzzedConnection, fuzzedConnection, requestOf, type SeenRequest } from './fuzzed-connections.ts';

/** Of `FUZZ_SEED`, or one that is printed. @param byteMs  between the bytes of one that sends a byte at a time */
export function generate({ count, byteMs }: { readonly count: number; readonly byteMs: number }): FuzzedConnection[] {
  const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 1_000_000);
  console.log(`${count} connections of FUZZ_SEED=${seed}`);
  return fc.sample(fuzzedConnection(byteMs), { seed, numRuns: count });
}

export async function attack(
  stage: FuzzStage,
  connections: readonly FuzzedConnection[],
): Promise<{ counts: Record<string, number>; seen: SeenRequest[] }> {
  stage.seen();
  const counts = await stage.tell({
    host: MACHINE,
    port: APPLICATION_PORT,
    atOnce: 40,
    connections: connections.map(({ parts, claimed }, index) => parts(requestOf(index, claimed))),
  });
  return { counts: counts as Record<string, number>, seen: stage.seen() };
}

/**
 * How many HAProxy takes at once, less some for others. On an instance that is half of the unit's LimitNOFILE, some 500,000; a host that may not
 * raise the limit (a container, say) has less than 10,000 to give.
 */
export async function mostConnections(stage: FuzzStage): Promise<number> {
  const most = await stage.shell(
    `echo 'show info' | socat - UNIX-CONNECT:/run/proxyflip/haproxy.sock | sed -n 's/^Maxconn: //p'`,
  );
  return Number(most) - 200;
}

/** The same nginx and the same HAProxy as ever: neither has died and been started again. */
export async function checkAlive(stage: FuzzStage): Promise<void> {
  expect(await stage.shell('systemctl show --property=NRestarts --value nginx proxyflip-haproxy | xargs')).toBe('0 0');
  expect(await stage.shell(`grep -hE '\\[(alert|crit|emerg)\\]' /var/log/nginx/error.log || true`)).toBe('');
  expect(
    await stage.shell('curl --silent --output /dev/null --write-out "%{http_code}" http://127.0.0.1:8078/healthz'),
  ).toBe('200');
}
