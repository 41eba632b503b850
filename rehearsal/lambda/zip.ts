/**
 * The two zip operations that a deployment package needs: unpack one, and make one from built files.
 *
 * fflate writes. It reads without looking at checksums and permissions, which a deployment package has a right to, so reading
 * is done here: Node.js brings the compression itself (zlib), and what remains is the directory at the end. Source: PKWARE APPNOTE.TXT, 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (its end).
 * Not here: zip64, encryption, spanned archives; each is refused by name.
 */
import { inflateRawSync } from 'node:zlib';
import { type Zippable, type ZippableFile, zipSync } from 'fflate';

export interface ZipEntry {
  /** Path with `/`, relative, without `..`. */
  readonly name: string;
  readonly data: Uint8Array;
  /** Permission bits, such as 0o755. Default 0o644. */
  readonly mode?: number;
}

const CENTRAL_HEADER = 0x02014b50;
const END_OF_CENTRAL_DIRECTORY = 0x06054b50;
const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
/** The earliest that the format has. */
const EARLIEST = '1980-01-01T00:00:00';

/** @throws Error  not a zip archive, or one of the kinds named above */
export function readZip(archive: Uint8Array): ZipEntry[] {
  const bytes = Buffer.from(archive.buffer, archive.byteOffset, archive.byteLength);
  const end = findEnd(bytes);
  const entries: ZipEntry[] = [];
  let at = bytes.readUInt32LE(end + 16);
  for (let index = 0; index < bytes.readUInt16LE(end + 10); index += 1) {
    if (bytes.readUInt32LE(at) !== CENTRAL_HEADER) throw new Error(`zip: no directory entry at byte ${at}`);
    const nameLength = bytes.readUInt16LE(at + 28);
    const name = bytes.toString('utf8', at + 46, at + 46 + nameLength);
    if (!name.endsWith('/')) entries.push({ name: safeName(name), ...readData(bytes, at, name) });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

/** The sizes of the directory count, not those of the local header: a streamed archive has zeros there. */
function readData(bytes: Buffer, at: number, name: string): { data: Buffer; mode: number } {
  if (bytes.readUInt16LE(at + 8) & ENCRYPTED) throw new Error(`zip: ${name} is encrypted`);
  const method = bytes.readUInt16LE(at + 10);
  const size = bytes.readUInt32LE(at + 20);
  const local = bytes.readUInt32LE(at + 42);
  if (size === 0xffffffff || local === 0xffffffff) throw new Error(`zip: ${name} needs zip64, which is not read here`);
  const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
  const packed = bytes.subarray(start, start + size);
  const data = method === STORED ? packed : method === DEFLATED ? inflateRawSync(packed) : undefined;
  if (data === undefined) throw new Error(`zip: ${name} is packed with method ${method}, only 0 and 8 are read here`);
  if (crc32(data) !== bytes.readUInt32LE(at + 16)) throw new Error(`zip: ${name} is damaged, its checksum differs`);
  return { data, mode: (bytes.readUInt32LE(at + 38) >>> 16) & 0o777 || 0o644 };
}

/** It is the last record, before a comment of at most 65,535 bytes. */
function findEnd(bytes: Buffer): number {
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 0xffff); at -= 1) {
    if (bytes.readUInt32LE(at) === END_OF_CENTRAL_DIRECTORY) return at;
  }
  throw new Error('zip: not a zip archive, it has no end of central directory record');
}

function safeName(name: string): string {
  if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..')) {
    throw new Error(`zip: entry ${JSON.stringify(name)} leads out of the archive`);
  }
  return name;
}

/** Make an archive as `aws cloudformation package` would put it into S3; the same files always give the same bytes. */
export function writeZip(entries: readonly ZipEntry[]): Uint8Array {
  const files = entries.map(({ name, data, mode = 0o644 }): [string, ZippableFile] => [
    safeName(name),
    [data, { attrs: ((0o100000 | mode) << 16) >>> 0, os: 3, mtime: EARLIEST }],
  ]);
  return zipSync(Object.fromEntries(files) as Zippable);
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** zlib has it, but only since Node.js 20.15. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ byte) & 0xff] as number);
  return (crc ^ 0xffffffff) >>> 0;
}
