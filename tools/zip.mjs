import { zipSync } from 'fflate';

/** The same files always give the same bytes: the time is the earliest that the format has, and names are sorted. */
export function zip(files) {
  const entries = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return zipSync(Object.fromEntries(entries.map(([name, data]) => [name, [data, { attrs: 0o644 << 16, os: 3 }]])), {
    level: 9,
    mtime: '1980-01-01T00:00:00',
  });
}
