import { describe, expect, test } from '@jest/globals';
import { readZip, writeZip } from '../../../rehearsal/lambda/zip.ts';

describe('zip', () => {
  test('what was written is read again, with its permission bits', () => {
    const files = [
      { name: 'index.js', data: Buffer.from('exports.handler = 1;'), mode: 0o644 },
      { name: 'lib/grüße.txt', data: Buffer.alloc(100_000, 'a'), mode: 0o755 },
      { name: 'empty', data: Buffer.alloc(0), mode: 0o644 },
    ];

    const read = readZip(writeZip(files));

    expect(read.map(({ name, mode }) => [name, mode])).toEqual(files.map(({ name, mode }) => [name, mode]));
    expect(read.map(({ data }) => Buffer.from(data))).toEqual(files.map(({ data }) => data));
  });

  test('the same files always give the same archive, whatever the time is', () => {
    const files = [{ name: 'index.js', data: Buffer.from('x') }];
    expect(Buffer.from(writeZip(files))).toEqual(Buffer.from(writeZip(files)));
  });

  // What Info-ZIP wrote for `printf hello > a.txt; zip -X -0 - a.txt`: stored, and streamed, so that its sizes stand
  // behind the data and its local header has zeros.
  test('reads a streamed archive of Info-ZIP', () => {
    const archive = Buffer.from(
      'UEsDBAoACAAAAAAAIQAAAAAABQAAAAUAAAAFAAAAYS50eHRoZWxsb1BLBwiGphA2BQAAAAUAAABQSwECHgMKAAgAAAAAACEAhqYQNgUAAAAFAAAABQAAAAAAAAAAAAAApIEAAAAAYS50eHRQSwUGAAAAAAEAAQAzAAAAOAAAAAAA',
      'base64',
    );
    expect(readZip(archive)).toEqual([{ name: 'a.txt', data: Buffer.from('hello'), mode: 0o644 }]);
  });

  test.each([
    { what: 'no archive at all', make: () => Buffer.from('hello'), error: 'not a zip archive' },
    {
      what: 'a damaged byte',
      make: () => {
        const archive = Buffer.from(writeZip([{ name: 'a', data: Buffer.from('some text') }]));
        archive[34] = (archive[34] ?? 0) ^ 1;
        return archive;
      },
      error: /damaged|invalid|incorrect/,
    },
    {
      what: 'an entry that leads out of the directory',
      make: () => {
        const archive = Buffer.from(writeZip([{ name: 'aa/aa/b', data: Buffer.from('') }]));
        return Buffer.from(archive.toString('latin1').replaceAll('aa/aa/b', '../../b'), 'latin1');
      },
      error: 'leads out of the archive',
    },
  ])('refuses $what', ({ make, error }) => {
    expect(() => readZip(make())).toThrow(error);
  });
});
