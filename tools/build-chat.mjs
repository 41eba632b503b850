/** Build the chat service: `dist/chat/` to run it from, and the archives that instances install. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import { build } from 'esbuild';
import { gzipSync } from 'fflate';

/** What is taken as it is, by its name in `dist/chat`. */
const COPIES = {
  'proxyflip-chat.service': 'chat/proxyflip-chat.service',
  'proxyflip-chat.socket': 'chat/proxyflip-chat.socket',
  'public/icon.svg': 'chat/page/icon.svg',
  'public/index.html': 'chat/page/index.html',
};

/** Of the archive for this machine's architecture: what the rehearsal's fleet installs. */
const OWN = 'dist/chat-artifact/chat-artifact.json';

/** Architectures as EC2 names them, and as Node.js does. */
const ARCHITECTURES = { x86_64: 'x64', arm64: 'arm64' };

/** Where tools/setup.mjs puts the Node.js that ships: of this machine's architecture, and the other, which only packaging needs. */
const nodePackage = (arch) =>
  ['tools/node24', `dist/node24/${arch}`]
    .map((directory) => `${directory}/node_modules/node-linux-${arch}`)
    .find((directory) => existsSync(directory));

/**
 * `dist/chat/chat.mjs`, everything in one file, the page in `dist/chat/public/`, and the units that run it.
 *
 * @returns `{ files, bundles }`: what was written, as `{ name, content }` from dist/chat, and what esbuild tells of the two bundles
 */
export async function buildChat() {
  const [service, page, copies] = await Promise.all([
    build({
      entryPoints: { chat: 'chat/index.ts' },
      outdir: 'dist/chat',
      outExtension: { '.js': '.mjs' },
      write: false,
      metafile: true,
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
      write: false,
      metafile: true,
      bundle: true,
      platform: 'browser',
      target: ['es2022', 'safari16', 'chrome110', 'firefox110'],
      format: 'esm',
      minify: true,
      legalComments: 'none',
    }),
    Promise.all(Object.entries(COPIES).map(async ([name, source]) => ({ name, content: await readFile(source) }))),
  ]);
  const built = [...service.outputFiles, ...page.outputFiles].map(({ path, contents }) => ({
    name: relative('dist/chat', path),
    content: Buffer.from(contents),
  }));
  const files = [...built, ...copies].sort((a, b) => (a.name < b.name ? -1 : 1));
  await rm('dist/chat', { recursive: true, force: true });
  await mkdir('dist/chat/public', { recursive: true });
  for (const { name, content } of files) await writeFile(join('dist/chat', name), content);
  return {
    files,
    bundles: [
      { name: 'chat', metafile: service.metafile },
      { name: 'chat/page', metafile: page.metafile },
    ],
  };
}

/** Of the architectures that archives are made for. */
export const nodePackages = () =>
  Object.values(ARCHITECTURES)
    .map(nodePackage)
    .filter((directory) => directory !== undefined);

/**
 * `dist/chat-artifact/chat-<sha256>.tar.gz` with `bin/node`, `chat.mjs`, `public/` and the two systemd units, for each architecture whose
 * Node.js is installed; `chat-artifact.json` beside them tells of the one for this machine. The same sources make the same bytes, on
 * every machine: no times, no owners, names in order, and a packer that is not the caller's zlib.
 *
 * @param files  what buildChat has written
 * @returns {Promise<{architecture: 'x86_64' | 'arm64', file: string, sha256: string, bytes: number}[]>} `file` is the name alone
 */
export async function buildChatArtifacts(files) {
  await mkdir('dist/chat-artifact', { recursive: true });
  // gzip files may stand behind each other (RFC 1952, 2.2), so that Node.js, which is most of it, is packed once and kept.
  const entries = files.map((file) => ({ ...file, mode: 0o644 }));
  const service = gzipSync(Buffer.concat([tar(entries), Buffer.alloc(1024)]), { mtime: 0 });
  const artifacts = [];
  for (const [architecture, arch] of Object.entries(ARCHITECTURES)) {
    const directory = nodePackage(arch);
    if (directory === undefined) continue;
    const archive = Buffer.concat([await packedNode(directory), service]);
    const sha256 = createHash('sha256').update(archive).digest('hex');
    const artifact = { file: `chat-${sha256}.tar.gz`, sha256, bytes: archive.length };
    await writeFile(join('dist/chat-artifact', artifact.file), archive);
    if (arch === process.arch) await writeFile(OWN, `${JSON.stringify(artifact, null, 2)}\n`);
    artifacts.push({ architecture, ...artifact });
  }
  for (const name of await readdir('dist/chat-artifact')) {
    const isKept = name === basename(OWN) || artifacts.some(({ file }) => file === name);
    if (!isKept) await rm(join('dist/chat-artifact', name));
  }
  return artifacts;
}

/** `bin/node` alone, packed; five seconds of work, so it is kept until there is another version. */
async function packedNode(directory) {
  const { name, version } = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8'));
  const kept = `dist/node24/${name}-${version}.tar.gz`;
  if (existsSync(kept)) return readFile(kept);
  const entry = { name: 'bin/node', mode: 0o755, content: await readFile(join(directory, 'bin/node')) };
  // A level that is quick: the highest takes twice as long for 0.1 % less.
  const packed = Buffer.from(gzipSync(tar([entry]), { level: 6, mtime: 0 }));
  await mkdir('dist/node24', { recursive: true });
  // Whole or not at all: another build may look at the same moment.
  await writeFile(`${kept}.${process.pid}`, packed);
  await rename(`${kept}.${process.pid}`, kept);
  return packed;
}

/** POSIX ustar, files alone, without the two empty blocks of its end: https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13_06 */
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
  return Buffer.concat(blocks);
}
