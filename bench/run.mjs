#!/usr/bin/env node
/** `npm run bench -- NAME`: bundle bench/NAME.ts and run it; what it starts runs on the Node.js that ships with the chat. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const [name = '', ...rest] = process.argv.slice(2);
if (!/^[a-z-]+$/.test(name) || !existsSync(`bench/${name}.ts`)) {
  console.error('usage: npm run bench -- chat | drift | load');
  process.exit(2);
}
// What some compare with: packages of their own, installed when they are needed.
if (existsSync(`bench/${name}-peers`) && !existsSync(`bench/${name}-peers/node_modules`)) {
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts'], { cwd: `bench/${name}-peers`, stdio: 'inherit' });
  if (status !== 0) process.exit(1);
}
await build({
  // The measuring and, where there are any, the servers that are measured.
  entryPoints: Object.fromEntries(
    [name, `${name}-servers`]
      .filter((each) => existsSync(`bench/${each}.ts`))
      .map((each) => [each, `bench/${each}.ts`]),
  ),
  outdir: 'dist/bench',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
});
process.exit(spawnSync(process.execPath, [`dist/bench/${name}.mjs`, ...rest], { stdio: 'inherit' }).status ?? 1);
