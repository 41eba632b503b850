import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout: found upwards, since this runs from the sources (tests) and from the bundle (`dist/`). */
function findRoot(directory: string): string {
  const file = path.join(directory, 'package.json');
  if (existsSync(file) && JSON.parse(readFileSync(file, 'utf8')).name === 'proxyflip') return directory;
  if (path.dirname(directory) === directory) throw new Error('no package.json of proxyflip above the running file');
  return findRoot(path.dirname(directory));
}

export const ROOT = findRoot(path.dirname(fileURLToPath(import.meta.url)));
/** What the build made: the rehearsal runs nothing else of the product. */
export const DIST = path.join(ROOT, 'dist');
/** Node.js 24, as Lambda's `nodejs24.x` and the chat artifact have it; a package of its own (`tools/node24`). */
export const NODE24 = path.join(
  ROOT,
  `tools/node24/node_modules/node-linux-${process.arch === 'arm64' ? 'arm64' : 'x64'}/bin/node`,
);
