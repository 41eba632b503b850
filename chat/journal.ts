import type { FileHandle } from 'node:fs/promises';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** One kept message: room, epoch, offset, id, person, name, text, at. */
export type Entry = readonly [string, string, number, string, string, string, string, number];

/** Rewritten when it has this many bytes more than four times what a rewrite left. */
const SLACK_BYTES = 16 * 1024 * 1024;

/**
 * The memory store's messages in a file, one JSON array a line, so that a stop, a crash or a kill loses none that was acknowledged.
 *
 * Written before it is acknowledged but not synced to disk message by message: it outlives the process, and the last moments
 * do not outlive the machine's power. Whoever needs that runs Redis with its own durability.
 */
export class Journal {
  readonly #path: string;
  #file: FileHandle;
  #length: number;
  #rewrittenLength: number;

  private constructor(path: string, file: FileHandle, length: number) {
    this.#path = path;
    this.#file = file;
    this.#length = length;
    this.#rewrittenLength = length;
  }

  /** Read what the last run left in `directory`, which is made if it is missing. */
  static async open(directory: string): Promise<{ journal: Journal; entries: Entry[] }> {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const path = join(directory, 'messages.jsonl');
    const entries = entriesOf(await readFile(path, 'utf8').catch(emptyIfMissing));
    const file = await open(path, 'a+', 0o600);
    await file.close();
    const journal = new Journal(path, await open(path, 'r+'), 0);
    await journal.rewrite(entries);
    return { journal, entries };
  }

  get wantsRewrite(): boolean {
    return this.#length > 4 * this.#rewrittenLength + SLACK_BYTES;
  }

  /** Write at the last good place, not at the end of the file: what a full disk left half written is written over. */
  async append(entries: readonly Entry[]): Promise<void> {
    const bytes = Buffer.from(lines(entries));
    let written = 0;
    while (written < bytes.length) {
      const { bytesWritten } = await this.#file.write(bytes, written, bytes.length - written, this.#length + written);
      written += bytesWritten;
    }
    this.#length += bytes.length;
  }

  /** Replace the file by these entries, whole or not at all. */
  async rewrite(entries: Iterable<Entry>): Promise<void> {
    const temporary = `${this.#path}.new`;
    await rm(temporary, { force: true });
    const file = await open(temporary, 'w', 0o600);
    try {
      let length = 0;
      for (const batch of batches(entries, 1000)) length += (await file.write(lines(batch), length)).bytesWritten;
      await file.sync();
      await rename(temporary, this.#path);
      await this.#file.close();
      this.#file = file;
      this.#length = length;
      this.#rewrittenLength = length;
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#file.truncate(this.#length);
    await this.#file.sync();
    await this.#file.close();
  }
}

const lines = (entries: readonly Entry[]): string => entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

/** A kill may leave the last line cut short; it was not acknowledged then. */
function entriesOf(content: string): Entry[] {
  const entries: Entry[] = [];
  for (const line of content.split('\n')) {
    if (line === '') continue;
    try {
      entries.push(JSON.parse(line) as Entry);
    } catch {
      break;
    }
  }
  return entries;
}

function* batches<T>(items: Iterable<T>, size: number): Generator<T[]> {
  let batch: T[] = [];
  for (const item of items) {
    batch.push(item);
    if (batch.length === size) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}

function emptyIfMissing(error: NodeJS.ErrnoException): string {
  if (error.code === 'ENOENT') return '';
  throw error;
}
