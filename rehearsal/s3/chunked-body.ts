/**
 * Bodies as newer clients send them: `Content-Encoding: aws-chunked`, each chunk with its size in hexadecimal and maybe a
 * signature, then trailers such as `x-amz-checksum-crc32`. What is stored is the content alone.
 *
 * Source: S3 API reference, "Signature calculations … multiple chunks" and "… including trailing headers (chunked upload)".
 */
import { Transform, type TransformCallback } from 'node:stream';

/** Ends with an error if the framing is broken, or the stream ends before the last chunk. */
export class ChunkedBody extends Transform {
  /** What stood after the last chunk, by lower-case name. */
  readonly trailers = new Map<string, string>();
  #buffer: Buffer = Buffer.alloc(0);
  #left = 0;
  #state: 'size' | 'data' | 'end of data' | 'trailers' = 'size';

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.#buffer = this.#buffer.length === 0 ? chunk : Buffer.concat([this.#buffer, chunk]);
    try {
      while (this.#step());
      done();
    } catch (error) {
      done(error as Error);
    }
  }

  override _flush(done: TransformCallback): void {
    done(this.#state === 'trailers' ? null : new Error('The body ended before its last chunk.'));
  }

  /** @returns whether anything could be done with what is there */
  #step(): boolean {
    if (this.#state === 'data') {
      if (this.#buffer.length === 0) return false;
      const data = this.#take(Math.min(this.#left, this.#buffer.length));
      this.#left -= data.length;
      this.push(data);
      if (this.#left === 0) this.#state = 'end of data';
      return true;
    }
    const end = this.#buffer.indexOf('\r\n');
    if (end < 0) {
      if (this.#buffer.length > 8192) throw new Error('A chunk header has more than 8192 bytes.');
      return false;
    }
    const line = this.#take(end + 2)
      .toString('latin1')
      .trimEnd();
    if (this.#state === 'end of data') {
      if (line !== '') throw new Error('A chunk is longer than its header says.');
      this.#state = 'size';
    } else if (this.#state === 'size') {
      const size = line.split(';')[0] ?? '';
      if (!/^[0-9a-fA-F]{1,12}$/.test(size)) throw new Error(`Not the size of a chunk: ${line}`);
      this.#left = Number.parseInt(size, 16);
      this.#state = this.#left === 0 ? 'trailers' : 'data';
    } else {
      const colon = line.indexOf(':');
      if (colon > 0) this.trailers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
    }
    return true;
  }

  #take(length: number): Buffer {
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }
}
