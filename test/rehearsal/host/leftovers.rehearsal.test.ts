/** However a run ends, nothing of it stays: no process, network namespace, mount, control group or directory. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { removeLeftovers } from '../../../rehearsal/host/run-directory.ts';
import { DIST } from '../../../rehearsal/paths.ts';

const CLI = path.join(DIST, 'rehearsal/cli.mjs');

/** What another rehearsal has here already, `npm start` in a second terminal, is none of the test's. */
const others = new Set<string>();
const ours = (name: string): boolean => !others.has(name);

const namespaces = (): string[] =>
  spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' })
    .stdout.split('\n')
    .map((line) => line.split(' ')[0] ?? '')
    .filter((name) => /^pf[0-9a-f]{6}-/.test(name))
    .filter(ours);
const mounts = (): string[] =>
  readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes('/proxyflip-rehearsal/'))
    .filter(ours);
const hostLinks = (): string => spawnSync('ip', ['-oneline', 'link'], { encoding: 'utf8' }).stdout.replace(/@\S+/g, '');
/** Those that still run: one that has ended stays in the list until its new parent has looked after it. */
const supervisors = (): string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter(ours)
    .filter((pid) => {
      try {
        const [, comm = '', state = ''] = /^\d+ \((.*)\) (\S)/s.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
        return comm.startsWith('systemd-nspawn') && state !== 'Z' && state !== 'X';
      } catch {
        return false;
      }
    });

async function untilNoSupervisor(): Promise<void> {
  const limit = Date.now() + 10_000;
  while (supervisors().length > 0 && Date.now() < limit) await sleep(100);
}

let child: ChildProcess | undefined;
beforeAll(() => {
  for (const each of [...namespaces(), ...mounts(), ...supervisors()]) others.add(each);
});
afterEach(async () => {
  child?.kill('SIGKILL');
  await sleep(500);
  await removeLeftovers();
});

/** Start `serve` and wait until its machines are booting or further. */
async function startServe(): Promise<{ said: () => string; ended: Promise<number | null> }> {
  let output = '';
  const started = spawn(process.execPath, [CLI, 'serve', '--machines', '2'], { stdio: ['ignore', 'pipe', 'pipe'] });
  child = started;
  for (const stream of [started.stdout, started.stderr]) stream.on('data', (chunk) => (output += chunk));
  const ended = new Promise<number | null>((resolve) => started.on('close', resolve));
  while (supervisors().length === 0) {
    if (started.exitCode !== null) throw new Error(output);
    await sleep(50);
  }
  return { said: () => output, ended };
}

describe('a run', () => {
  test('that is interrupted while its machines boot ends them all, with the status of an interrupt', async () => {
    const links = hostLinks();
    const { ended } = await startServe();
    await sleep(300);

    child?.kill('SIGINT');

    expect(await ended).toBe(130);
    expect({ namespaces: namespaces(), mounts: mounts(), supervisors: supervisors() }).toEqual({
      namespaces: [],
      mounts: [],
      supervisors: [],
    });
    expect(hostLinks()).toBe(links);
  }, 60_000);

  test('that is killed leaves no process and no mount, and the next run removes its namespaces', async () => {
    await startServe();
    await sleep(1500);

    child?.kill('SIGKILL');
    // The kernel ends what was below it, one after the other; on a busy machine that is not at once.
    await untilNoSupervisor();

    expect({ mounts: mounts(), supervisors: supervisors() }).toEqual({ mounts: [], supervisors: [] });
    expect(namespaces()).not.toEqual([]);
    expect(await removeLeftovers()).toHaveLength(1);
    expect(namespaces()).toEqual([]);
  }, 60_000);

  test('whose port is taken says so, names the option, and leaves nothing', async () => {
    const taken = net.createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as net.AddressInfo;

    const { status, stderr } = spawnSync(process.execPath, [CLI, 'serve', '--page-port', String(port)], {
      encoding: 'utf8',
    });
    await new Promise((resolve) => taken.close(resolve));

    expect(status).toBe(1);
    expect(stderr).toContain(`ERR_PORT_TAKEN: port ${port} on 127.0.0.1 is taken`);
    expect(stderr).toContain('--page-port');
    expect(namespaces()).toEqual([]);
  }, 60_000);

  test('of somebody who is not root is refused before anything is made', () => {
    // The same person by another number: a clone in /root is for root alone to read, and it is not that which is refused.
    const { status, stderr } = spawnSync('unshare', ['--user', '--map-user=65534', process.execPath, CLI, 'serve'], {
      encoding: 'utf8',
    });

    expect(stderr).toContain('ERR_NOT_ROOT');
    expect(stderr).toContain('sudo npm start');
    expect(status).toBe(1);
  }, 30_000);
});
