/** One machine with the receiver as it ships, an application that records what it is told, and a client that speaks by hand. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { ADDRESSES } from '../../rehearsal/network/fabric.ts';
import { ROOT } from '../../rehearsal/paths.ts';
import { BareMachine } from '../bare-machine.ts';
import type { ReceiverMode, SeenRequest } from './fuzzed-connections.ts';

export const CLIENTS = ADDRESSES.client(0);
export const MACHINE = ADDRESSES.instance(0);
/** The one whose requests go to the application; the other is a redirect by nginx itself. */
export const APPLICATION_PORT = 81;

export interface FuzzStage extends AsyncDisposable {
  setMode(mode: ReceiverMode): Promise<void>;
  /** Runs in the machine; @returns standard output, trimmed */
  shell(script: string): Promise<string>;
  /** One order for `fuzz-client.mjs`. */
  tell(order: object): Promise<Record<string, unknown>>;
  /** What has come to the application since it was last asked. */
  seen(): SeenRequest[];
}

export async function fuzzStage(): Promise<FuzzStage> {
  const bare = await BareMachine.boot('bookworm');
  const { namespace } = await bare.fabric.addHost('clients', [CLIENTS]);

  const application = inNamespace(bare.namespace, 'recording-application.mjs');
  const requests: SeenRequest[] = [];
  await once(application.stdout, 'data');
  createInterface({ input: application.stdout }).on('line', (line) => requests.push(JSON.parse(line)));

  const client = inNamespace(namespace, 'fuzz-client.mjs');
  const answers = createInterface({ input: client.stdout })[Symbol.asyncIterator]();

  return {
    async setMode(mode) {
      await bare.runScript('receiver.sh', {
        Operation: 'SetMode',
        Mode: mode,
        InstancePorts: '80=http 81=https',
        TrustedCidrs: '198.51.100.0/24',
        ExistingServers: 'TakeOver',
      });
    },
    shell: (script) => bare.shell(script),
    async tell(order) {
      client.stdin.write(`${JSON.stringify(order)}\n`);
      return JSON.parse(String((await answers.next()).value));
    },
    seen: () => requests.splice(0),
    async [Symbol.asyncDispose]() {
      for (const child of [client, application]) child.kill('SIGKILL');
      await bare[Symbol.asyncDispose]();
    },
  };
}

/** With as many open files as the host allows: ten thousand connections are ten thousand. */
function inNamespace(namespace: string, file: string): ChildProcessByStdio<Writable, Readable, null> {
  const script = path.join(ROOT, 'test/ssm-documents', file);
  return spawn(
    'ip',
    ['netns', 'exec', namespace, 'sh', '-c', 'ulimit -n $(ulimit -Hn); exec "$0" "$1"', process.execPath, script],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
}
