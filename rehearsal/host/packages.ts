/**
 * What the rehearsal needs of its host: Linux, root, and a few of Debian's packages. It starts no service there.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { RehearsalError } from './rehearsal-error.ts';

interface Requirement {
  /** Any of these files shows that the package is there. */
  readonly files: readonly string[];
  readonly package: string;
  readonly why: string;
}

export const FOR_MACHINES: readonly Requirement[] = [
  { files: ['/usr/bin/systemd-nspawn'], package: 'systemd-container', why: 'boots the machines' },
  { files: ['/usr/bin/mmdebstrap'], package: 'mmdebstrap', why: 'makes their root file system' },
  { files: ['/usr/sbin/ip', '/sbin/ip'], package: 'iproute2', why: 'makes their network' },
  { files: ['/usr/bin/nsenter'], package: 'util-linux', why: 'enters them' },
];

/** Only where containers are run. */
export const FOR_CONTAINERS: readonly Requirement[] = [
  { files: ['/usr/bin/buildah'], package: 'buildah', why: 'builds the container images' },
  { files: ['/usr/bin/podman'], package: 'podman', why: 'runs them' },
  { files: ['/usr/bin/crun'], package: 'crun', why: 'what podman runs them by' },
];

export const AWS_CLI: Requirement = {
  files: ['/usr/bin/aws'],
  package: 'awscli',
  why: 'the real AWS CLI, against the rehearsal',
};

export const FOR_TESTS: readonly Requirement[] = [
  AWS_CLI,
  { files: ['/usr/bin/chromium'], package: 'chromium', why: 'a real browser for the chat page' },
  { files: ['/usr/bin/redis-server'], package: 'redis-server', why: 'the chat service on many instances' },
  { files: ['/usr/bin/curl'], package: 'curl', why: 'asks machines and nodes as a client does' },
  { files: ['/usr/bin/openssl'], package: 'openssl', why: 'certificates of the chat tests' },
  { files: ['/usr/bin/git'], package: 'git', why: 'says which files are of the project' },
  { files: ['/usr/bin/shellcheck'], package: 'shellcheck', why: 'checks the shell that ships' },
];

/** @throws RehearsalError  not Linux, or not root: nothing has been done yet */
export function requireLinuxAndRoot(): void {
  if (process.platform !== 'linux') {
    throw new RehearsalError(
      'ERR_NOT_LINUX',
      `the rehearsal boots Linux machines in network namespaces, and this is ${process.platform}`,
      'run it on Linux, for example in a virtual machine with Debian 12',
    );
  }
  if (process.getuid?.() !== 0) {
    throw new RehearsalError(
      'ERR_NOT_ROOT',
      'the rehearsal makes network namespaces and boots machines, for which it has to be root',
      'run it as root (sudo npm start)',
    );
  }
}

/**
 * Install what is missing, said before it is done.
 *
 * A package that would start a service is kept from it: invoke-rc.d asks /usr/sbin/policy-rc.d first, which is there for the
 * time of the installation only where the host has none of its own.
 *
 * @throws RehearsalError  a package cannot be had, named, with what the package manager said
 */
export async function requirePackages(
  requirements: readonly Requirement[],
  say: (line: string) => void,
): Promise<void> {
  const missing = requirements.filter(({ files }) => !files.some(existsSync));
  if (missing.length === 0) return;
  const names = missing.map((each) => each.package);
  if (!existsSync('/usr/bin/apt-get')) {
    throw new RehearsalError(
      'ERR_PACKAGE',
      `missing on this machine: ${names.join(', ')}, and there is no apt-get to install them`,
      'install them by hand and run again',
    );
  }
  say("Installing from Debian's packages (no service is started):");
  for (const each of missing) say(`  ${each.package.padEnd(18)} ${each.why}`);

  const guard = '/usr/sbin/policy-rc.d';
  const guarded = !existsSync(guard);
  if (guarded) await writeFile(guard, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    const apt = (...args: string[]) =>
      spawnSync('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
        encoding: 'utf8',
        env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      });
    apt('update');
    const installed = apt('install', '--yes', '--no-install-recommends', ...names);
    if (installed.status !== 0) {
      throw new RehearsalError(
        'ERR_PACKAGE',
        `Debian's packages ${names.join(', ')} cannot be installed: ${installed.stderr.trim().split('\n').slice(-3).join(' ')}`,
        'check that this machine reaches its package mirror (apt-get update), and run again',
      );
    }
  } finally {
    if (guarded) await rm(guard, { force: true });
  }
}
