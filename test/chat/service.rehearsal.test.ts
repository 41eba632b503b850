/** The service as the Command document installs it: the built artifact, its own Node.js and its units, on a booted machine. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { RELEASES } from '../../rehearsal/machines/images.ts';
import { ADDRESSES } from '../../rehearsal/network/fabric.ts';
import { buildChat, buildChatArtifacts } from '../../tools/build-chat.mjs';
import { BareMachine, BOOT_LIMIT_MS } from '../bare-machine.ts';

const [RELEASE] = RELEASES;
let bare: BareMachine;
let server: ChildProcess;

const SERVE = `
const { createReadStream } = require('node:fs');
require('node:http').createServer((_, response) => createReadStream(process.argv[1]).pipe(response)).listen(8123, () => console.log('ready'));
`;

/** What the Command document's script does with the artifact, without its checks. */
const INSTALL = `
set -e
mkdir -p /opt/proxyflip-chat/one && cd /opt/proxyflip-chat
curl --fail --silent http://${ADDRESSES.client(0)}:8123/ | tar -xz -C one --no-same-owner
ln -sfn /opt/proxyflip-chat/one current
cp one/proxyflip-chat.service one/proxyflip-chat.socket /etc/systemd/system/
systemctl daemon-reload
systemctl enable --quiet proxyflip-chat.socket proxyflip-chat.service
systemctl restart proxyflip-chat.service
until curl --fail --silent http://127.0.0.1:8000/healthz; do sleep 0.2; done
`;

beforeAll(async () => {
  const artifact = JSON.parse(await readFile('dist/chat-artifact/chat-artifact.json', 'utf8')) as { file: string };
  bare = await BareMachine.boot(RELEASE);
  const { namespace } = await bare.fabric.addHost('clients', [ADDRESSES.client(0)]);
  const archive = path.resolve('dist/chat-artifact', artifact.file);
  server = spawn('ip', ['netns', 'exec', namespace, process.execPath, '-e', SERVE, archive], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(server.stdout as NodeJS.ReadableStream, 'data');
  const { exitCode, stdout, stderr } = await bare.machine.exec(['bash', '-c', INSTALL], { timeoutSeconds: 60 });
  if (exitCode !== 0) {
    const log = await shell(
      'journalctl -u proxyflip-chat.service -n 20 -o cat; systemctl status proxyflip-chat.service',
    );
    throw new Error(`the service did not start: ${stdout}${stderr}${log}`);
  }
}, BOOT_LIMIT_MS);

afterAll(async () => {
  server?.kill();
  await bare?.[Symbol.asyncDispose]();
}, 60_000);

const shell = (text: string) => bare.shell(text);

test('the same sources make the same artifact, byte for byte', async () => {
  const built = JSON.parse(await readFile('dist/chat-artifact/chat-artifact.json', 'utf8'));
  const { files } = await buildChat();
  expect(await buildChatArtifacts(files)).toContainEqual(expect.objectContaining(built));
}, 60_000);

test('it runs under a user of its own, on loopback alone, with the unit sandboxed to a score under 2.0', async () => {
  const [, score] =
    /exposure level for proxyflip-chat\.service: ([\d.]+)/.exec(
      await shell('systemd-analyze security --no-pager proxyflip-chat.service'),
    ) ?? [];
  const pid = await shell('systemctl show -P MainPID proxyflip-chat.service');
  const uids = (await shell(`grep ^Uid /proc/${pid}/status`)).split('\t').slice(1);
  const listening = await shell("ss -Hltn | awk '{ print $4 }' | grep -E ':(8000|9000)$' | sort");

  expect(Number(score)).toBeLessThan(2);
  expect(new Set(uids).size).toBe(1);
  expect(Number(uids[0])).toBeGreaterThan(0);
  expect(listening).toBe('127.0.0.1:8000\n127.0.0.1:9000');
  expect(await shell('journalctl -u proxyflip-chat.service -o cat | grep -ciE "error|EPERM|SIGSYS" || true')).toBe('0');
});

test('restarted three times and killed once under load: no message lost or doubled, no request refused', async () => {
  const bundle = path.join(bare.directory, 'steady-clients.mjs');
  await build({
    entryPoints: ['test/chat/steady-clients.ts'],
    outfile: bundle,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  const clients = spawn('ip', ['netns', 'exec', bare.namespace, process.execPath, bundle], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: clients.stdout })[Symbol.asyncIterator]();
  await lines.next();
  await sleep(2000);
  for (let n = 0; n < 3; n += 1) {
    await shell('systemctl restart proxyflip-chat.service');
    await sleep(3000);
  }
  const untilKilled = await (async () => {
    await shell('systemctl kill --signal=KILL proxyflip-chat.service');
    await sleep(4000);
    clients.stdin.write('end\n');
    return JSON.parse(String((await lines.next()).value));
  })();

  expect(untilKilled).toMatchObject({ lost: 0, doubled: 0, outOfOrder: 0, historyLost: 0 });
  expect(untilKilled.messagesSent).toBeGreaterThan(500);
  expect(untilKilled.reconnects).toBeGreaterThanOrEqual(40);
  // A kill cuts what was being answered at that moment, and nothing else.
  expect(untilKilled.requestsFailed.filter((code: string) => code !== 'ECONNRESET')).toEqual([]);
  expect(untilKilled.requestsFailed.length).toBeLessThanOrEqual(2);
}, 90_000);
