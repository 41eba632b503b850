#!/usr/bin/env node
/**
 * Build everything that ships and everything that the rehearsal runs, into `dist/`. Each part is a function of its own.
 *
 *   dist/functions/<name>/index.js, <name>.zip   Lambda's deployment packages
 *   dist/ssm-documents/*.json                    documents with the shell and nginx's files inside
 *   dist/cloudformation/*.yaml                   templates with the documents inside
 *   dist/chat/, dist/chat-artifact/              the chat service, and the archives that instances install
 *   dist/sbom.cdx.json, dist/licenses.txt        what others wrote of it
 *   dist/artifacts.json                          what goes into the bucket, and under which key
 *   dist/deploy/                                 npm run package and npm run deploy
 *   dist/container/whoami.mjs                    the application of the container's example
 *   dist/beanstalk/                              what goes into a source bundle of Elastic Beanstalk
 *   dist/rehearsal/                              the rehearsal's processes
 */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { nameArtifacts } from './build-artifacts.mjs';
import { buildBeanstalk } from './build-beanstalk.mjs';
import { buildChat, buildChatArtifacts, nodePackages } from './build-chat.mjs';
import { buildDocuments } from './build-documents.mjs';
import { buildFunctions, FUNCTIONS } from './build-functions.mjs';
import { writeSbom } from './build-sbom.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const buildDeploy = () => buildForHost('dist/deploy', { cli: 'deploy/cli.ts' });

const buildRehearsal = () =>
  buildForHost('dist/rehearsal', {
    cli: 'rehearsal/cli.ts',
    gateway: 'rehearsal/network/gateway.ts',
    traffic: 'rehearsal/traffic/worker.ts',
  });

/** Packages stay outside: this runs from the checkout, beside node_modules. */
async function buildForHost(outdir, entryPoints) {
  await build({
    entryPoints,
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    sourcemap: true,
  });
}

/** What the image of the application behind the container has in it; the receiver's image is built by tools/image.mjs. */
async function buildWhoami() {
  await build({
    entryPoints: ['container/whoami/index.ts'],
    outfile: 'dist/container/whoami.mjs',
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    mainFields: ['module', 'main'],
    legalComments: 'linked',
    // As in the chat service: native helpers of ws that are not installed, and CommonJS inside a module.
    external: ['bufferutil', 'utf-8-validate'],
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
}

await mkdir('dist', { recursive: true });
const [chat, functions] = await Promise.all([
  buildChat(),
  buildFunctions(),
  buildDocuments(),
  buildDeploy(),
  buildRehearsal(),
  buildWhoami(),
  buildBeanstalk(),
]);
writeSbom([...functions, ...chat.bundles], nodePackages());
nameArtifacts(FUNCTIONS, await buildChatArtifacts(chat.files));
