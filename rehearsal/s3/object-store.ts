/**
 * Buckets and their objects: small ones in memory, large ones in files of a directory that is the caller's to remove.
 */
import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { finished } from 'node:stream/promises';

/** Larger bodies go to a file. Unit: bytes. */
const MAX_IN_MEMORY = 1024 * 1024;

export interface StoredObject {
  readonly key: string;
  readonly size: number;
  /** MD5 of the content, in quotation marks; of one that was uploaded in parts, S3's own kind of digest. */
  readonly etag: string;
  readonly contentType: string;
  readonly modifiedAt: Date;
  /** `x-amz-meta-*`, by lower-case name. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly content: { readonly bytes: Buffer } | { readonly file: string };
}

export interface BodyDigests {
  readonly md5: Buffer;
  readonly sha256: Buffer;
  readonly size: number;
}

export class ObjectStore {
  readonly #buckets = new Map<string, Map<string, StoredObject>>();
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @returns false if it was there */
  createBucket(bucket: string): boolean {
    if (this.#buckets.has(bucket)) return false;
    this.#buckets.set(bucket, new Map());
    return true;
  }

  hasBucket(bucket: string): boolean {
    return this.#buckets.has(bucket);
  }

  bucketNames(): string[] {
    return [...this.#buckets.keys()].filter((name) => !name.startsWith('/')).sort();
  }

  /**
   * Reads the body to its end, then stores it: a body that breaks off, or that `check` throws for, leaves what was there.
   */
  async put(
    bucket: string,
    key: string,
    body: AsyncIterable<Uint8Array>,
    about: Pick<StoredObject, 'contentType' | 'metadata'>,
    check: (digests: BodyDigests) => void = () => {},
  ): Promise<StoredObject> {
    const objects = this.#buckets.get(bucket);
    if (!objects) throw new Error(`there is no bucket ${bucket}`);
    const md5 = createHash('md5');
    const sha256 = createHash('sha256');
    const inMemory: Uint8Array[] = [];
    let size = 0;
    let file: { readonly path: string; readonly stream: ReturnType<typeof createWriteStream> } | undefined;
    try {
      for await (const chunk of body) {
        md5.update(chunk);
        sha256.update(chunk);
        size += chunk.length;
        if (!file && size > MAX_IN_MEMORY) {
          await mkdir(this.#directory, { recursive: true });
          const path = join(this.#directory, randomUUID());
          await writeFile(path, inMemory);
          inMemory.length = 0;
          file = { path, stream: createWriteStream(path, { flags: 'a' }) };
        }
        if (!file) inMemory.push(chunk);
        else if (!file.stream.write(chunk)) await once(file.stream, 'drain');
      }
      if (file) {
        file.stream.end();
        await finished(file.stream);
      }
      const digests = { md5: md5.digest(), sha256: sha256.digest(), size };
      check(digests);
      const stored: StoredObject = {
        key,
        size,
        etag: `"${digests.md5.toString('hex')}"`,
        modifiedAt: new Date(),
        content: file ? { file: file.path } : { bytes: Buffer.concat(inMemory) },
        contentType: about.contentType,
        metadata: about.metadata,
      };
      await this.#forget(objects.get(key));
      objects.set(key, stored);
      return stored;
    } catch (error) {
      if (file) {
        file.stream.destroy();
        await rm(file.path, { force: true });
      }
      throw error;
    }
  }

  find(bucket: string, key: string): StoredObject | undefined {
    return this.#buckets.get(bucket)?.get(key);
  }

  /** @param range  first and last byte, both included */
  read(object: StoredObject, range: { readonly start: number; readonly end: number }): Readable {
    if ('file' in object.content) return createReadStream(object.content.file, range);
    return Readable.from([object.content.bytes.subarray(range.start, range.end + 1)]);
  }

  async delete(bucket: string, key: string): Promise<void> {
    await this.#forget(this.find(bucket, key));
    this.#buckets.get(bucket)?.delete(key);
  }

  /** @returns false if it has objects */
  deleteBucket(bucket: string): boolean {
    if (this.#buckets.get(bucket)?.size) return false;
    return this.#buckets.delete(bucket);
  }

  /** In the order of their keys' UTF-8 bytes, as S3 lists them. */
  list(bucket: string): StoredObject[] {
    return [...(this.#buckets.get(bucket)?.values() ?? [])].sort((a, b) =>
      Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
    );
  }

  async #forget(object: StoredObject | undefined): Promise<void> {
    if (object && 'file' in object.content) await rm(object.content.file, { force: true });
  }
}
