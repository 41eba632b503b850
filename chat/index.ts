import { join } from 'node:path';
import { type Config, ConfigError, readConfig } from './config.ts';
import { Journal } from './journal.ts';
import { createLog, type Log } from './log.ts';
import { MemoryStore } from './memory-store.ts';
import { RedisStore } from './redis-store.ts';
import { type ChatDependencies, startChat } from './server.ts';
import type { Store } from './store.ts';

const config = configOrExit();
const log = createLog(config);
const listen = socketsFromSystemd(process.env);
const chat = await startChat({
  config,
  ...(listen === undefined ? {} : { listen }),
  store: await openStore(config, log),
  log,
  publicDirectory: join(import.meta.dirname, 'public'),
}).catch((error: unknown) => {
  // A port that is taken, say: the error names it.
  log.error({ err: error }, 'could not start');
  process.exit(1);
});

let isStopping = false;
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (isStopping) return;
    isStopping = true;
    chat.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.error({ err: error }, 'could not stop cleanly');
        process.exit(1);
      },
    );
  });
}

/**
 * The two sockets of proxyflip-chat.socket, in its order, if systemd passed them.
 * https://www.freedesktop.org/software/systemd/man/latest/sd_listen_fds.html
 */
function socketsFromSystemd({ LISTEN_PID, LISTEN_FDS }: NodeJS.ProcessEnv): ChatDependencies['listen'] {
  if (LISTEN_PID !== String(process.pid) || LISTEN_FDS !== '2') return undefined;
  return { http: { fd: 3 }, webSocket: { fd: 4 } };
}

async function openStore(config: Config, log: Log): Promise<Store> {
  if (config.redisUrl !== '') return new RedisStore(config, log);
  const { journal, entries } =
    config.stateDirectory === '' ? { journal: null, entries: [] } : await Journal.open(config.stateDirectory);
  return new MemoryStore(config, { journal, entries, now: Date.now });
}

/** Exit status 78 is sysexits' EX_CONFIG; the unit's RestartPreventExitStatus keeps systemd from trying the same again. */
function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exit(78);
  }
}
