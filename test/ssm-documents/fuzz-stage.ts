/** One machine with the receiver as it ships, an application that records what it is told, and a client that speaks by hand. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { FOR_MACHINES, requireLinuxAndRoot, requirePackages } from '../../rehearsal/host/packages.ts';
import { createRunDirectory, removeLeftovers } from '../../rehearsal/host/run-directory.ts';
import { prepareImage } from '../../rehearsal/machines/images.ts';
import { startMachine } from '../../rehearsal/machines/machine.ts';
import { ADDRESSES, createFabric } from '../../rehearsal/network/fabric.ts';
import { ROOT } from '../../rehearsal/paths.ts';
import { shippedScript } from '../../tools/build-documents.mjs';
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
  requireLinuxAndRoot();
  await requirePackages(FOR_MACHINES, console.log);
  await removeLeftovers();
  const image = await prepareImage('bookworm', 'baked', console.log);
  const run = await createRunDirectory();
  const fabric = await createFabric(run.runId);
  const machine = await startMachine({ name: 'm0', fabric, privateIpAddress: MACHINE, image, directory: run.path });
  const { namespace } = await fabric.addHost('clients', [CLIENTS]);

  const application = inNamespace(`pf${run.runId}-m0`, 'recording-application.mjs');
  const requests: SeenRequest[] = [];
  await once(application.stdout, 'data');
  createInterface({ input: application.stdout }).on('line', (line) => requests.push(JSON.parse(line)));

  const client = inNamespace(namespace, 'fuzz-client.mjs');
  const answers = createInterface({ input: client.stdout })[Symbol.asyncIterator]();

  return {
    async setMode(mode) {
      const { exitCode, stderr } = await machine.exec(['bash', '-c', 'cat >/tmp/_script.sh && bash /tmp/_script.sh'], {
        env: {
          SSM_Operation: 'SetMode',
          SSM_Mode: mode,
          SSM_InstancePorts: '80=http 81=https',
          SSM_TrustedCidrs: '198.51.100.0/24',
          SSM_ExistingServers: 'TakeOver',
        },
        stdin: shippedScript('receiver.sh'),
      });
      if (exitCode !== 0) throw new Error(stderr);
    },
    shell: async (script) => (await machine.exec(['bash', '-c', script])).stdout.trim(),
    async tell(order) {
      client.stdin.write(`${JSON.stringify(order)}\n`);
      return JSON.parse(String((await answers.next()).value));
    },
    seen: () => requests.splice(0),
    async [Symbol.asyncDispose]() {
      for (const child of [client, application]) child.kill('SIGKILL');
      await machine[Symbol.asyncDispose]();
      await run.remove();
    },
  };
}

/** Node.js may open as many files as ten thousand connections are. */
function inNamespace(namespace: string, file: string): ChildProcessByStdio<Writable, Readable, null> {
  const script = path.join(ROOT, 'test/ssm-documents', file);
  return spawn(
    'ip',
    ['netns', 'exec', namespace, 'sh', '-c', 'ulimit -n $(ulimit -Hn); exec "$0" "$1"', process.execPath, script],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
}
