/** What processes hold at this moment, as the kernel counts it: proc(5). */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUse {
  readonly pid: number;
  /** In the unified hierarchy, from its root: `/pf1a2b3c-m0/payload/system.slice/nginx.service`. */
  readonly controlGroup: string;
  /** Its arguments, with blanks between them. */
  readonly command: string;
  /** Resident, shared pages included. Unit: bytes. */
  readonly residentBytes: number;
  readonly fileDescriptors: number;
}

/** A process and everything below it, machines' processes included; what ends while it is looked at is left out. */
export function processesBelow(root: number): ProcessUse[] {
  const children = new Map<number, number[]>();
  for (const pid of readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)) {
    const parent = Number(/^PPid:\s+(\d+)/m.exec(read(pid, 'status'))?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const below = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap(below)];
  return below(root).flatMap(processUse);
}

function processUse(pid: number): ProcessUse[] {
  const residentKilobytes = /^VmRSS:\s+(\d+) kB/m.exec(read(pid, 'status'))?.[1];
  // Gone, or ended and not yet waited for.
  if (residentKilobytes === undefined) return [];
  return [
    {
      pid,
      controlGroup: /^0::(.*)$/m.exec(read(pid, 'cgroup'))?.[1] ?? '',
      command: read(pid, 'cmdline').replaceAll('\0', ' ').trim(),
      residentBytes: Number(residentKilobytes) * 1024,
      fileDescriptors: openFiles(pid),
    },
  ];
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function openFiles(pid: number): number {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return 0;
  }
}
