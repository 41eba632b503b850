/**
 * The commands of docs/container.md as they stand there: images are built here, and everything else is in a shell on an instance, which is a
 * network namespace, and podman with a storage of its own. The load balancer's own commands are run by
 * readme-commands.rehearsal.test.ts.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { PREPARE_CGROUPS } from '../../rehearsal/containers/podman.ts';
import { FOR_CONTAINERS, requirePackages } from '../../rehearsal/host/packages.ts';
import { createRunDirectory, type RunDirectory } from '../../rehearsal/host/run-directory.ts';
import { createFabric } from '../../rehearsal/network/fabric.ts';
import { expectLastLine } from './last-line.ts';
import { checkedCommands, ROOT, readPage } from './markdown.ts';
import { ShellSession } from './shell-session.ts';

const BLOCK_LIMIT_MS = 300_000;
const BLOCKS = checkedCommands(readPage('docs/container.md')).filter(({ commands }) => !commands.startsWith('aws '));

let directory: RunDirectory;
/** Where images are built: this machine, which reaches the package mirror. */
let workshop: ShellSession;
let instance: ShellSession;

beforeAll(async () => {
  await requirePackages(FOR_CONTAINERS, console.log);
  directory = await createRunDirectory();
  const { namespace } = await (await createFabric(directory.runId)).addHost('instance', ['10.0.1.11']);
  workshop = new ShellSession(ROOT, process.env);
  instance = new ShellSession(ROOT, { ...process.env, ...(await podmanSettings(directory.path)) }, [
    ...['ip', 'netns', 'exec', namespace, 'unshare', '--mount', '--propagation', 'private'],
    ...['sh', '-c', `${PREPARE_CGROUPS}exec "$@"`, 'sh'],
  ]);
}, 100_000);

afterAll(async () => {
  await instance?.[Symbol.asyncDispose]();
  await workshop?.[Symbol.asyncDispose]();
  await directory?.remove();
}, 60_000);

/** What `Podman` says by options, said by files, so that the page's commands can stand as they are. */
async function podmanSettings(run: string): Promise<Record<string, string>> {
  await mkdir(path.join(run, 'oci'));
  const storage = path.join(run, 'storage.conf');
  const containers = path.join(run, 'containers.conf');
  await writeFile(
    storage,
    `[storage]\ndriver = "overlay"\ngraphroot = "${run}/oci/root"\nrunroot = "${run}/oci/run"\n`,
  );
  await writeFile(
    containers,
    `[containers]\ncgroups = "disabled"\nlog_driver = "k8s-file"\ndefault_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]\n[engine]\nevents_logger = "none"\n`,
  );
  return { CONTAINERS_STORAGE_CONF: storage, CONTAINERS_CONF: containers };
}

test('the page promises last lines', () => {
  expect(BLOCKS.length).toBeGreaterThan(5);
});

describe('docs/container.md', () => {
  test.each(BLOCKS)(
    '$name',
    async ({ name, commands, lastLine }) => {
      const shell = name.startsWith('Build it:') ? workshop : instance;
      expectLastLine(await shell.run(commands, BLOCK_LIMIT_MS), lastLine);
    },
    BLOCK_LIMIT_MS,
  );
});
