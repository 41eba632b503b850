#!/usr/bin/env node
/**
 * `nginx -t` and `haproxy -c` over what the receiver writes, in each mode: the shipped script's own functions write it, in a machine image of
 * the rehearsal, which has the programs of the distribution. Nothing of it stays; nothing is started.
 *
 * Needs root and an image: `npm run rehearse -- prepare` makes them, and so does any rehearsal.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { shippedScript } from './build-documents.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const IMAGES = '/var/lib/proxyflip-rehearsal/images';
const MODES = ['plain', 'both', 'proxy'];
/** Alone, and beside an Application Load Balancer. */
const ALB_CIDRS = ['', '10.0.111.0/24 10.0.112.0/24'];

/** $1 = image, $2 = directory of the overlay. No network either: nginx binds its ports when it tests. */
const INSIDE = `
set -e
ip link set lo up
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$2/root"
mount -t proc proc "$2/root/proc"
exec chroot "$2/root" bash /root/receiver
`;

/** The script without what it does by its first word, and in its place what SetMode writes, in the same order, without a reload. */
function writesFor(mode, albCidrs) {
  const script = shippedScript('receiver.sh');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: it is shell
  const end = script.lastIndexOf('\ncase ${1:-} in');
  if (end < 0) throw new Error('receiver.sh does not end in a case of its first word any more');
  return `${script.slice(0, end)}
export SSM_Operation=SetMode SSM_Mode=${mode} SSM_InstancePorts='80=http 81=https 82=mixed' SSM_TrustedCidrs='10.0.101.0/24' SSM_AlbCidrs='${albCidrs}'
read_request
load_settings
SET_PORTS=$INSTANCE_PORTS SET_CIDRS=$TRUSTED_CIDRS SET_ALB_CIDRS=$ALB_CIDRS SET_HEALTH_PORT=$HEALTH_PORT
mkdir -p "$RUN"
TAKEN=$(listen_lines_to_take)
take_over
write_files
step_aside
write_listen_lines wanted_kind
nginx -t -q
haproxy -c -q -f $SETTINGS/haproxy.cfg
`;
}

function check(image, mode, albCidrs) {
  const directory = mkdtempSync(path.join(tmpdir(), 'proxyflip-receiver-'));
  try {
    for (const name of ['upper/root', 'work', 'root']) mkdirSync(path.join(directory, name), { recursive: true });
    writeFileSync(path.join(directory, 'upper/root/receiver'), writesFor(mode, albCidrs));
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      ['--mount', '--net', '--', 'sh', '-c', INSIDE, 'sh', path.join(IMAGES, image), directory],
      { encoding: 'utf8' },
    );
    console.log(
      `${image} ${mode}${albCidrs && ' with an ALB'}: ${status === 0 ? 'nginx and HAProxy take it' : `${stdout}${stderr}`.trim()}`,
    );
    return status === 0;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Of each kind of image the newest. @returns [] where there are none, or no directory of them */
function newestImages() {
  let names = [];
  try {
    names = readdirSync(IMAGES).filter((name) => /^[a-z]+-(baked|amazon)-[0-9a-f]+$/.test(name));
  } catch (error) {
    if (error.code !== 'ENOENT') throw error;
  }
  const madeAt = (name) => statSync(path.join(IMAGES, name)).mtimeMs;
  names.sort((one, other) => madeAt(one) - madeAt(other));
  return Object.values(Object.fromEntries(names.map((name) => [name.replace(/-[0-9a-f]+$/, ''), name])));
}

const images = newestImages();
if (process.getuid?.() !== 0 || images.length === 0) {
  console.error(
    'proxyflip: check:receivers needs root and a machine image of the rehearsal, which npm run rehearse -- prepare makes',
  );
  process.exit(1);
}
const taken = images.flatMap((image) =>
  MODES.flatMap((mode) => ALB_CIDRS.map((albCidrs) => check(image, mode, albCidrs))),
);
process.exit(taken.every(Boolean) ? 0 : 1);
