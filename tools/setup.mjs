#!/usr/bin/env node
/**
 * Everything that `npm start`, `npm run rehearse` and `npm test` need before they can begin, on a machine that has only Node.js:
 * node modules from the lock files, and the build. Uses nothing but Node.js itself, since nothing else is there yet.
 *
 * Debian's packages, which only the rehearsal needs, are looked after by the rehearsal (rehearsal/host/packages.ts).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function stop(what, wayOut) {
  console.error(`proxyflip: ${what}\n           ${wayOut}`);
  process.exit(1);
}

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 11)) {
  stop(
    `Node.js ${process.versions.node} is too old: 20.11 is the least.`,
    'Install Node.js 20 or later and run again.',
  );
}

/** Install by the lock file, once for each of its versions. The stamp is written last: a half-made tree is made again. */
function install(directory, words, npmArguments = []) {
  const lock = readFileSync(path.join(root, directory, 'package-lock.json'));
  const checksum = createHash('sha256').update(lock).digest('hex');
  const stamp = path.join(root, directory, 'node_modules/.proxyflip-lock');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === checksum) return;
  console.log(`Installing ${words} (npm ci)`);
  const { status, stdout, stderr } = spawnSync(
    'npm',
    ['ci', '--no-audit', '--no-fund', '--loglevel=error', ...npmArguments],
    {
      cwd: path.join(root, directory),
      encoding: 'utf8',
    },
  );
  if (status !== 0) {
    stop(
      `npm ci failed in ${path.join(root, directory)}:\n${`${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n')}`,
      'Check that this machine reaches its npm registry, and run again.',
    );
  }
  writeFileSync(stamp, checksum);
}

/** Node.js of the architecture that this machine is not of: the chat's archives are packaged for both. */
function installOtherNode() {
  const arch = process.arch === 'x64' ? 'arm64' : 'x64';
  const directory = `dist/node24/${arch}`;
  mkdirSync(path.join(root, directory), { recursive: true });
  for (const file of ['package.json', 'package-lock.json']) {
    copyFileSync(path.join(root, 'tools/node24', file), path.join(root, directory, file));
  }
  install(directory, `Node.js 24 for ${arch}, which goes into the package`, [`--cpu=${arch}`, '--os=linux']);
}

install('.', 'node modules, about 20 s');
install('tools/node24', 'Node.js 24, for Lambda and the chat service');
if (process.argv.includes('--all-architectures')) installOtherNode();

const built = spawnSync(process.execPath, ['tools/build.mjs'], { cwd: root, stdio: 'inherit' });
if (built.status !== 0)
  stop('the build failed, see above.', 'A checkout without changes of your own builds; git status shows them.');
