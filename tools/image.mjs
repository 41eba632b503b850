#!/usr/bin/env node
/**
 * `npm run image`: the container images, without a registry and without a daemon. From the same Dockerfiles that Docker builds, on a
 * base that is made from Debian's packages; into archives that Podman and Docker load.
 *
 *   dist/container/proxyflip-receiver.tar   the receiver
 *   dist/container/proxyflip-whoami.tar     an application to stand behind it
 *
 * As root, with Debian's packages buildah and mmdebstrap. The same sources and the same packages make the same image, to the bit.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

/** What the Dockerfiles' own base is a release of. */
const RELEASE = 'trixie';
const BASE = 'localhost/debian:base';
const OUT = 'dist/container';

const IMAGES = [
  { name: 'proxyflip-receiver', file: 'container/Dockerfile' },
  { name: 'proxyflip-whoami', file: 'container/whoami/Dockerfile' },
];

/** As images of Debian leave them out: nobody reads manuals in a container. */
const WITHOUT = ['man', 'doc', 'locale', 'info'].map((each) => `path-exclude=/usr/share/${each}/*`);

function stop(what, wayOut) {
  console.error(`proxyflip: ERR_IMAGE: ${what}\n           ${wayOut}`);
  process.exit(1);
}

function run(file, ...args) {
  const { status, stdout, stderr, error } = spawnSync(file, args, {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, SOURCE_DATE_EPOCH: epoch },
  });
  if (error?.code === 'ENOENT') {
    stop(`the program ${file} is not here.`, "Install Debian's packages buildah and mmdebstrap, and run again.");
  }
  if (status !== 0) {
    const said = `${stdout}${stderr}`.trim().split('\n').slice(-8).join('\n');
    stop(
      `${file} ${args.join(' ')} failed:\n${said}`,
      'Check that this machine reaches its package mirror, and run again.',
    );
  }
  return stdout.trim();
}

/** The date of everything in the images: when what they are made from was last changed. Unit: seconds since 1970. */
const epoch =
  spawnSync('git', ['log', '-1', '--format=%ct', '--', 'container', 'nginx'], { encoding: 'utf8' }).stdout?.trim() ||
  '0';

if (process.argv.length > 2)
  stop(`it was given ${process.argv.slice(2).join(' ')}, and takes no arguments.`, 'Run npm run image alone.');
if (process.getuid() !== 0)
  stop('images are made as root: a root file system has files of many owners.', 'Run it as root.');
if (!existsSync(`${OUT}/whoami.mjs`)) stop(`${OUT}/whoami.mjs is not there.`, 'Run npm run build first.');

// A storage of its own, so that whatever containers are on this machine are left alone.
const scratch = mkdtempSync(path.resolve(OUT, '.image-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
const buildah = (...args) =>
  run('buildah', '--root', `${scratch}/storage`, '--runroot', `${scratch}/run`, '--storage-driver', 'vfs', ...args);

console.log(`Making a base from Debian's packages (${RELEASE})`);
const tar = path.join(scratch, 'base.tar');
run('mmdebstrap', '--quiet', '--variant=minbase', ...WITHOUT.map((each) => `--dpkgopt=${each}`), RELEASE, tar);
const container = buildah('from', 'scratch');
buildah('add', '--quiet', container, tar, '/');
buildah('commit', '--quiet', '--timestamp', epoch, container, BASE);
buildah('rm', container);

for (const { name, file } of IMAGES) {
  console.log(`Building ${file}`);
  // chroot: the steps need no container runtime, and no more rights than root has here.
  buildah(
    ...['build', '--quiet', '--isolation', 'chroot', '--network', 'host', '--timestamp', epoch],
    ...['--build-arg', `BASE=${BASE}`, '--build-arg', `SOURCE_DATE_EPOCH=${epoch}`],
    ...['--ignorefile', `${file}.dockerignore`, '--file', file, '--tag', `localhost/${name}`, '.'],
  );
  rmSync(`${OUT}/${name}.tar`, { force: true });
  buildah('push', '--quiet', `localhost/${name}`, `oci-archive:${OUT}/${name}.tar:localhost/${name}:latest`);
}

const megabytes = (bytes) => `${Math.round(bytes / 1e6)} MB`;
const sizes = JSON.parse(buildah('images', '--json'));
for (const { name } of IMAGES) {
  const unpacked = sizes.find(({ names }) => names?.includes(`localhost/${name}:latest`))?.size;
  console.log(`${OUT}/${name}.tar  ${megabytes(statSync(`${OUT}/${name}.tar`).size)}, unpacked ${unpacked}`);
}
