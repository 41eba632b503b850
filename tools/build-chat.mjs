/** Build the chat service: `dist/chat/` to run it from, and the archive that instances install. */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

/** Where tools/setup.mjs puts the Node.js that ships with the service: an archive is for the architecture that it is built on. */
const NODE_BINARY = `tools/node24/node_modules/node-linux-${process.arch}/bin/node`;

/** `dist/chat/chat.mjs`, everything in one file, the page in `dist/chat/public/`, and the units that run it. */
export async function buildChat() {
  await rm('dist/chat', { recursive: true, force: true });
  await mkdir('dist/chat/public', { recursive: true });
  await Promise.all([
    build({
      entryPoints: { chat: 'chat/index.ts' },
      outdir: 'dist/chat',
      outExtension: { '.js': '.mjs' },
      bundle: true,
      platform: 'node',
      target: 'node24',
      format: 'esm',
      mainFields: ['module', 'main'],
      legalComments: 'linked',
      // ws asks for two native helpers that are not installed; it does without where the require throws.
      external: ['bufferutil', 'utf-8-validate'],
      // CommonJS packages inside the bundle call require for Node's own modules.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    }),
    build({
      entryPoints: { page: 'chat/page/page.ts', style: 'chat/page/style.css' },
      outdir: 'dist/chat/public',
      bundle: true,
      platform: 'browser',
      target: ['es2022', 'safari16', 'chrome110', 'firefox110'],
      format: 'esm',
      minify: true,
      legalComments: 'none',
    }),
    ...['proxyflip-chat.service', 'proxyflip-chat.socket'].map((file) => copyFile(`chat/${file}`, `dist/chat/${file}`)),
    ...['index.html', 'icon.svg'].map((file) => copyFile(`chat/page/${file}`, `dist/chat/public/${file}`)),
  ]);
}

/**
 * `dist/chat-artifact/chat-<sha256>.tar.gz` with `bin/node`, `chat.mjs`, `public/` and the two systemd units, and `chat-artifact.json` beside it. The same sources
 * make the same bytes: no times, no owners, names in order.
 *
 * @returns {Promise<{file: string, sha256: string, bytes: number}>} what `chat-artifact.json` says; `file` is the name alone
 */
export async function buildChatArtifact() {
  const entries = [
    { name: 'bin/node', mode: 0o755, content: await readFile(NODE_BINARY) },
    ...(await filesUnder('dist/chat')),
  ].sort((a, b) => (a.name < b.name ? -1 : 1));
  // A level that is quick: the 120 MB of Node.js are most of it, and the highest level takes ten times as long for 2 % less.
  const archive = gzipSync(tar(entries), { level: 6 });
  // Byte 9 of the header names the operating system that packed it.
  archive[9] = 255;
  const sha256 = createHash('sha256').update(archive).digest('hex');
  const artifact = { file: `chat-${sha256}.tar.gz`, sha256, bytes: archive.length };

  await rm('dist/chat-artifact', { recursive: true, force: true });
  await mkdir('dist/chat-artifact', { recursive: true });
  await writeFile(join('dist/chat-artifact', artifact.file), archive);
  await writeFile('dist/chat-artifact/chat-artifact.json', `${JSON.stringify(artifact, null, 2)}\n`);
  return artifact;
}

async function filesUnder(directory, prefix = '') {
  const entries = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    const name = `${prefix}${entry.name}`;
    if (entry.isDirectory()) entries.push(...(await filesUnder(path, `${name}/`)));
    else entries.push({ name, mode: 0o644, content: await readFile(path) });
  }
  return entries;
}

/** POSIX ustar, files alone: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
function tar(entries) {
  const blocks = [];
  for (const { name, mode, content } of entries) {
    const header = Buffer.alloc(512);
    header.write(name, 0, 100);
    header.write(`${mode.toString(8).padStart(7, '0')}\0`, 100);
    header.write('0000000\0', 108);
    header.write('0000000\0', 116);
    header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0', 136);
    header.write('        ', 148);
    header.write('0', 156);
    header.write('ustar\x0000', 257);
    header.write('root', 265);
    header.write('root', 297);
    const checksum = header.reduce((sum, byte) => sum + byte, 0);
    header.write(`${checksum.toString(8).padStart(6, '0')}\0 `, 148);
    blocks.push(header, content, Buffer.alloc((512 - (content.length % 512)) % 512));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}
