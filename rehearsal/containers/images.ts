/** The container images, as `npm run image` builds them: made when what they are made from has changed since. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { RehearsalError } from '../host/rehearsal-error.ts';
import { DIST, ROOT } from '../paths.ts';

export const RECEIVER_ARCHIVE = path.join(DIST, 'container/proxyflip-receiver.tar');
export const WHOAMI_ARCHIVE = path.join(DIST, 'container/proxyflip-whoami.tar');
const STAMP = path.join(DIST, 'container/images.sha256');

/** @throws RehearsalError  they cannot be built; what was said stands above */
export function prepareContainerImages(say: (line: string) => void): void {
  const checksum = checksumOf(['nginx', 'container', 'tools/image.mjs', 'dist/container/whoami.mjs']);
  const isThere = [RECEIVER_ARCHIVE, WHOAMI_ARCHIVE, STAMP].every(existsSync);
  if (isThere && readFileSync(STAMP, 'utf8') === checksum) return;
  say('Building the container images from Debian’s packages, once (about 40 s)');
  const { status } = spawnSync(process.execPath, [path.join(ROOT, 'tools/image.mjs')], { stdio: 'inherit' });
  if (status !== 0) throw new RehearsalError('ERR_IMAGE', 'the container images cannot be built', 'see above');
  writeFileSync(STAMP, checksum);
}

function checksumOf(names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of names.flatMap(filesBelow)) hash.update(`${file}\0`).update(readFileSync(path.join(ROOT, file)));
  return hash.digest('hex');
}

function filesBelow(name: string): string[] {
  const absolute = path.join(ROOT, name);
  if (statSync(absolute).isFile()) return [name];
  return readdirSync(absolute)
    .sort()
    .flatMap((each) => filesBelow(path.join(name, each)));
}
