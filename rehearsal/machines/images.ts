/**
 * Clean Debian root file systems, made once and cached; machines are overlays of them and never write to them.
 *
 *   bare    what a new Debian instance has: the Command document's own install path runs for real on it
 *   baked   nginx, HAProxy and their like are installed, as in an AMI that somebody prepared (the default, for speed)
 *   amazon  baked, in Amazon Linux's layout: user nginx, a default server inside nginx.conf, no sites-enabled; with the AWS CLI.
 *           An assumption: laid out from Amazon Linux 2023's package lists and documentation, on Debian's programs
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { runCommand } from '../host/run-command.ts';
import { IMAGES_DIRECTORY } from '../host/run-directory.ts';
import { ADDRESSES } from '../network/fabric.ts';

export const RELEASES = ['bookworm', 'trixie'] as const;
export type Release = (typeof RELEASES)[number];
export const IMAGES = ['bare', 'baked', 'amazon'] as const;
export type ImageName = (typeof IMAGES)[number];

const BASE = ['systemd', 'systemd-sysv', 'dbus', 'iproute2', 'nftables', 'curl', 'procps', 'ca-certificates', 'kmod'];
const PACKAGES: Record<ImageName, readonly string[]> = {
  bare: BASE,
  baked: [...BASE, 'nginx-light', 'haproxy', 'socat'],
  amazon: [...BASE, 'nginx-light', 'haproxy', 'socat', 'awscli'],
};

const AMAZON_NGINX_CONF = `user nginx;
worker_processes auto;
error_log /var/log/nginx/error.log notice;
pid /run/nginx.pid;
include /usr/share/nginx/modules/*.conf;
events {
    worker_connections 1024;
}
http {
    log_format main '$remote_addr - $remote_user [$time_local] "$request" $status';
    access_log /var/log/nginx/access.log main;
    sendfile on;
    keepalive_timeout 65;
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    include /etc/nginx/conf.d/*.conf;
    server {
        listen 80;
        listen [::]:80;
        server_name _;
        root /usr/share/nginx/html;
        include /etc/nginx/default.d/*.conf;
    }
}
`;

/** The image's own changes, made in its directory before anybody sees it. */
async function customize(image: ImageName, root: string): Promise<void> {
  // A machine reaches Debian's packages through the gateway, as an instance reaches them through a NAT gateway.
  await writeFile(
    path.join(root, 'etc/apt/apt.conf.d/90-network'),
    `Acquire::http::Proxy "http://${ADDRESSES.gateway}:${ADDRESSES.packageProxyPort}";\n`,
  );
  // mmdebstrap copies these from the host; a machine has its own name and no resolver.
  for (const file of ['etc/resolv.conf', 'etc/hostname']) await rm(path.join(root, file), { force: true });
  if (image !== 'amazon') return;
  await runCommand(['chroot', root, 'useradd', '--system', '--no-create-home', '--shell', '/sbin/nologin', 'nginx']);
  await rm(path.join(root, 'etc/nginx/sites-enabled'), { recursive: true });
  await rm(path.join(root, 'etc/nginx/sites-available'), { recursive: true });
  await mkdir(path.join(root, 'etc/nginx/default.d'));
  await writeFile(path.join(root, 'etc/nginx/nginx.conf'), AMAZON_NGINX_CONF);
}

/**
 * The directory of an image, which is made if it is not there: about 20 s and 400 MB, from Debian's packages.
 *
 * The name carries a checksum of the recipe, so that a changed recipe makes a new image.
 */
export async function prepareImage(
  release: Release,
  image: ImageName,
  progress: (line: string) => void,
): Promise<string> {
  const recipe = JSON.stringify([
    release,
    PACKAGES[image],
    customize.toString(),
    image === 'amazon' && AMAZON_NGINX_CONF,
  ]);
  const checksum = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const directory = path.join(IMAGES_DIRECTORY, `${release}-${image}-${checksum}`);
  if (existsSync(directory)) return directory;

  progress(`Making the machine image ${release}/${image} from Debian's packages, once (about 20 s)`);
  await mkdir(IMAGES_DIRECTORY, { recursive: true });
  const unfinished = `${directory}.${process.pid}`;
  await rm(unfinished, { recursive: true, force: true });
  await runCommand([
    'mmdebstrap',
    '--quiet',
    '--variant=minbase',
    `--include=${PACKAGES[image].join(',')}`,
    release,
    unfinished,
    'http://deb.debian.org/debian',
  ]);
  await customize(image, unfinished);
  await rename(unfinished, directory);
  return directory;
}
