import { describe, expect, test } from '@jest/globals';
import { AnswerParser } from '../../../rehearsal/traffic/answer-parser.ts';

function parse(bytes: string, ended = false) {
  const parser = new AnswerParser();
  let state = parser.push(Buffer.from(bytes));
  if (state === 'more' && ended) state = parser.end();
  return { state, parser };
}

describe('an HTTP answer', () => {
  test.each<[string, string, boolean, string, string, boolean]>([
    ['with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', false, 'done', 'ok', true],
    ['without a reason phrase', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', false, 'done', '', true],
    [
      'in chunks',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n',
      false,
      'done',
      'abcde',
      true,
    ],
    ['until the connection ends', 'HTTP/1.1 200 OK\r\n\r\nall of it', true, 'done', 'all of it', false],
    ['that says close', 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', false, 'done', '', false],
    ['of HTTP/1.0 that does not keep', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false, 'done', '', false],
    ['of 204', 'HTTP/1.1 204 No Content\r\n\r\n', false, 'done', '', true],
  ])('%s is read', (_, bytes, ended, state, body, keepsConnection) => {
    const { state: seen, parser } = parse(bytes, ended);

    expect(seen).toBe(state);
    expect(parser.result()).toMatchObject({ body, keepsConnection });
  });

  test.each<[string, string, boolean, string]>([
    ['within the status line', 'HTTP/1.', true, 'more'],
    ['within the head', 'HTTP/1.1 200 OK\r\nContent-', true, 'more'],
    ['within a body with a length', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok', true, 'more'],
    ['within a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nab', true, 'more'],
    ['before the last chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n', true, 'more'],
  ])('cut off %s is not complete', (_, bytes, ended, state) => {
    expect(parse(bytes, ended).state).toBe(state);
  });

  test.each<[string, string]>([
    ['something else', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['another version', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxy\r\n'],
    ['a length that is no number', 'HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n'],
    ['a header without a name', 'HTTP/1.1 200 OK\r\n: x\r\n\r\n'],
    ['an interim answer', 'HTTP/1.1 100 Continue\r\n\r\n'],
  ])('%s is none', (_, bytes) => {
    expect(parse(bytes).state).toBe('bad');
  });

  test('may come one byte at a time', () => {
    const parser = new AnswerParser();
    const bytes = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n';

    const states = [...bytes].map((byte) => parser.push(Buffer.from(byte)));

    expect(states.lastIndexOf('more')).toBe(bytes.length - 2);
    expect(states.at(-1)).toBe('done');
    expect(parser.result().body).toBe('abc');
  });

  test('says how many bytes came beyond its end', () => {
    const { parser } = parse('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP');

    expect(parser.excess).toBe(4);
  });
});
