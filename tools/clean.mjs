#!/usr/bin/env node
/** Remove what the build and the rehearsal keep: dist/, and the machine images (they are made again when needed). */
import { rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

for (const directory of [fileURLToPath(new URL('../dist', import.meta.url)), '/var/lib/proxyflip-rehearsal/images']) {
  rmSync(directory, { recursive: true, force: true });
  console.log(`removed ${directory}`);
}
