#!/usr/bin/env node
/** `npm run bench -- NAME`: bundle bench/NAME.ts and run it; what it starts runs on the Node.js that ships with the chat. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [name = '', ...rest] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name) || !existsSync(`bench/${name}.ts`)) {
  console.error('usage: npm run bench -- chat');
  process.exit(2);
}
await build({
  entryPoints: { [name]: `bench/${name}.ts`, [`${name}-servers`]: `bench/${name}-servers.ts` },
  outdir: 'dist/bench',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
});
process.exit(spawnSync(process.execPath, [`dist/bench/${name}.mjs`, ...rest], { stdio: 'inherit' }).status ?? 1);
