/**
 * An instance that runs containers: a network namespace with the receiver's container and an application in it. What the shipped compose
 * file says of the receiver is what is started; the application is the chat service, since that is what the rehearsal's clients talk to.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chown, mkdir, open, readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StartedMachine } from '../machines/machine.ts';
import type { Fabric } from '../network/fabric.ts';
import { DIST, NODE24 } from '../paths.ts';
import type { ExecOptions, ExecResult } from '../world.ts';
import { composeService, serviceArguments } from './compose.ts';
import type { Podman } from './podman.ts';

/** Seen: two seconds. Unit: milliseconds. */
const START_LIMIT_MS = 60_000;
/** As the container's user has it (Dockerfile). */
const RECEIVER_USER = 180;
const IMAGE = 'localhost/proxyflip-receiver';
/** The chat service's own ports. */
const APPLICATION = { DESTINATION_PORT: '8000', DESTINATION_WEBSOCKET_PORT: '9000' };

export interface ContainerHostOptions {
  readonly name: string;
  readonly fabric: Fabric;
  readonly privateIpAddress: string;
  readonly podman: Podman;
  /** The run's directory. */
  readonly directory: string;
}

export async function startContainerHost(options: ContainerHostOptions): Promise<StartedMachine> {
  const { name, fabric, privateIpAddress, podman } = options;
  const directory = path.join(options.directory, name);
  // In the place of the named volume that the compose file has.
  const volume = path.join(directory, 'receiver');
  await mkdir(volume, { recursive: true });
  await chown(volume, RECEIVER_USER, RECEIVER_USER);
  const host = await fabric.addHost(name, [privateIpAddress]);
  const hostname = `ip-${privateIpAddress.replaceAll('.', '-')}`;
  const container = `${fabric.runId}-${name}`;

  const application = await start(path.join(directory, 'application.log'), [
    ...['setpriv', '--pdeathsig', 'KILL', '--', 'ip', 'netns', 'exec', host.namespace],
    ...['env', `CHAT_INSTANCE=${hostname}`, NODE24, path.join(DIST, 'chat/chat.mjs')],
  ]);
  const receiver = await start(
    path.join(directory, 'access.log'),
    podman.runInNamespace(host.path, [
      ...['--name', container, '--hostname', hostname, '--add-host', 'backend:127.0.0.1'],
      ...serviceArguments(await composeService('receiver'), {
        environment: APPLICATION,
        volumes: { receiver: volume },
      }),
      IMAGE,
    ]),
    path.join(directory, 'receiver.log'),
  );

  const exec = (command: readonly string[], execOptions: ExecOptions = {}): Promise<ExecResult> =>
    collect(podman.command('exec', container, ...command), execOptions);

  const limit = Date.now() + START_LIMIT_MS;
  for (;;) {
    const { exitCode, stderr } = await exec(['receiver', 'health']);
    if (exitCode === 0) break;
    if (receiver.exitCode !== null || Date.now() > limit) {
      const said = (await readFile(path.join(directory, 'receiver.log'), 'utf8')).trim() || stderr.trim();
      throw new Error(`instance ${name}: the receiver is not ready: ${said}`);
    }
    await sleep(200);
  }

  /** Where the container's files are on the host: the volume, and its standard output, which is the access log. */
  const FILES: Readonly<Record<string, string>> = {
    '/run/proxyflip/mode.map': path.join(volume, 'mode.map'),
    '/var/log/nginx/proxyflip.access.log': path.join(directory, 'access.log'),
  };

  return {
    name,
    privateIpAddress,
    isRunning: () => receiver.exitCode === null,
    exec,
    writtenFile: (file) => FILES[file] ?? path.join(directory, 'not-in-the-container', file),
    reboot: () => Promise.reject(new Error(`instance ${name} runs containers, and has no system of its own to reboot`)),
    async [Symbol.asyncDispose]() {
      // As `docker stop` does: SIGTERM, and SIGKILL when the compose file's patience has ended.
      if (receiver.exitCode === null && receiver.signalCode === null) {
        const ended = once(receiver, 'exit');
        await podman.run('stop', container);
        await ended;
      }
      application.kill('SIGKILL');
      await fabric.removeHost(name);
    },
  };
}

/** A program of the instance's, until it is ended; what it says goes into files. */
async function start(
  outFile: string,
  [file = '', ...args]: readonly string[],
  errFile = outFile,
): Promise<ChildProcess> {
  const out = await open(outFile, 'a');
  const err = await open(errFile, 'a');
  try {
    // A session of its own: Ctrl-C in the terminal is for the control process, which ends what it has started in order.
    return spawn(file, args, { detached: true, stdio: ['ignore', out.fd, err.fd] });
  } finally {
    await Promise.all([out.close(), err.close()]);
  }
}

async function collect([file = '', ...args]: readonly string[], { stdin = '' }: ExecOptions): Promise<ExecResult> {
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const [exitCode] = await once(child, 'close');
  return { exitCode: exitCode ?? 255, stdout, stderr };
}
