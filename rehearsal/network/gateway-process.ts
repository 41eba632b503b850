import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { DIST } from '../paths.ts';
import type { Fabric } from './fabric.ts';

/** Start a gateway (`gateway.ts`) inside a namespace of the fabric, with these routes; disposing ends it. */
export async function startGateway(
  { namespace }: Pick<Fabric, 'namespace'>,
  routes: readonly string[],
): Promise<AsyncDisposable> {
  const child = spawn(
    'ip',
    ['netns', 'exec', namespace, process.execPath, path.join(DIST, 'rehearsal/gateway.mjs'), ...routes],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
  if (String(said) !== 'ready\n')
    throw new Error(`the gateway did not start: ${routes.join(' ')} (exit status ${said})`);
  return {
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
}
