/**
 * A control group for each machine, so that systemd in it sees its own processes alone.
 *
 * Where systemd runs the host, systemd-nspawn is given a scope by it and nothing of this is needed. Elsewhere (a container's or
 * a virtual machine's plain init) machines would all use the host's root group, each the others' services with it: nginx
 * that was killed could not start again, because systemd did not find the workers that still held its sockets (seen).
 */
import { existsSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import path from 'node:path';

export const HOST_HAS_SYSTEMD = existsSync('/run/systemd/system');

/** Where the unified hierarchy is mounted: /sys/fs/cgroup, or /sys/fs/cgroup/unified beside the old ones. */
function unifiedHierarchy(): string | undefined {
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.map((line) => line.split(' ')).find((fields) => fields[2] === 'cgroup2')?.[1];
}

/** The group of one machine, to be made by its supervisor; '' where systemd takes care of it. */
export function machineCgroup(runId: string, name: string): string {
  if (HOST_HAS_SYSTEMD) return '';
  const hierarchy = unifiedHierarchy();
  if (hierarchy === undefined) {
    throw new Error(
      'no cgroup2 file system is mounted, which systemd in the machines needs; mount it on /sys/fs/cgroup',
    );
  }
  return path.join(hierarchy, `pf${runId}-${name}`);
}

/** Remove the groups of a run. Its processes have ended. */
export function removeCgroups(runId: string): void {
  const hierarchy = HOST_HAS_SYSTEMD ? undefined : unifiedHierarchy();
  if (hierarchy === undefined) return;
  const groups = readdirSync(hierarchy).filter((name) => name.startsWith(`pf${runId}-`));
  for (const group of groups) removeTree(path.join(hierarchy, group));
}

function removeTree(group: string): void {
  for (const entry of readdirSync(group, { withFileTypes: true })) {
    if (entry.isDirectory()) removeTree(path.join(group, entry.name));
  }
  rmdirSync(group);
}
