import { describe, expect, test } from '@jest/globals';
import { readConfig } from '../../chat/config.ts';
import { parse, personOf, RefusedError } from '../../chat/parse.ts';

const config = readConfig({});
const codeOf = (shape: Parameters<typeof parse>[0], value: unknown): string => {
  try {
    parse(shape, typeof value === 'string' ? value : JSON.stringify(value), config);
    return 'taken';
  } catch (error) {
    if (!(error instanceof RefusedError)) throw error;
    return error.code;
  }
};
const join = { type: 'join', room: 'lobby', name: 'Ann' };
const send = { type: 'send', room: 'lobby', id: 'message-1', text: 'hello' };

test.each([
  ['the examples of the protocol', join, 'taken'],
  ['a join that comes back', { ...join, key: 'k'.repeat(16), since: { epoch: 'x', offset: 41 } }, 'taken'],
  ['a message', send, 'taken'],
  ['not JSON', '{', 'bad-message'],
  ['a word', '"join"', 'bad-message'],
  ['null', 'null', 'bad-message'],
  ['a list', [join], 'bad-message'],
  ['100,000 levels deep', '['.repeat(100_000), 'bad-message'],
  ['an unknown type', { ...join, type: 'destroy' }, 'bad-message'],
  ['a type that every object has', { type: '__proto__' }, 'bad-message'],
  ['no type', { room: 'lobby' }, 'bad-message'],
  ['a number for a text', { ...send, text: 5 }, 'bad-message'],
  ['an object for a room', { ...send, room: {} }, 'bad-message'],
  ['an id that is too short', { ...send, id: '1234567' }, 'bad-message'],
  ['an id with a line break', { ...send, id: 'message\n1' }, 'bad-message'],
  ['a key that is short enough to guess', { ...join, key: 'k'.repeat(15) }, 'bad-message'],
  ['an offset below the first', { ...join, since: { epoch: 'x', offset: -1 } }, 'bad-message'],
  ['an offset between two', { ...join, since: { epoch: 'x', offset: 1.5 } }, 'bad-message'],
  [
    'an offset that is no number',
    '{"type":"join","room":"a","name":"A","since":{"epoch":"x","offset":1e999}}',
    'bad-message',
  ],
  ['a message of blanks', { ...send, text: ' \n\t' }, 'bad-message'],
  ['a text as long as allowed', { ...send, text: 'é'.repeat(2048) }, 'taken'],
  ['bytes are counted, not characters', { ...send, text: 'é'.repeat(2049) }, 'message-too-large'],
  ['a room without a name', { ...join, room: '  ' }, 'bad-room'],
  ['a room in another script', { ...join, room: 'générale 日本語 ไทย' }, 'taken'],
  ['a room with a brace, which Redis would read', { ...join, room: 'a}b' }, 'bad-room'],
  ['a room with a line break inside', { ...join, room: 'a\u0000b' }, 'bad-room'],
  ['64 characters', { ...join, room: '𝒳'.repeat(64) }, 'taken'],
  ['65 characters', { ...join, room: 'x'.repeat(65) }, 'bad-room'],
  ['a name in another script', { ...join, name: 'نور' }, 'taken'],
  ['a name of one joined emoji', { ...join, name: '👩‍👩‍👧' }, 'taken'],
  ['a name that turns the direction of what follows', { ...join, name: 'Ann\u202e' }, 'bad-name'],
  ['a name of nothing that prints', { ...join, name: '\u200d\u200d' }, 'bad-name'],
  ['a name with half a character', { ...join, name: 'Ann\ud800' }, 'bad-name'],
  ['a name that is too long', { ...join, name: 'x'.repeat(41) }, 'bad-name'],
])('%s', (_desc, value, code) => {
  expect(codeOf('message', value)).toBe(code);
});

describe('normal forms', () => {
  test('the same letters are the same room', () => {
    const rooms = ['Café  Bar', ' cafe\u0301 bar', 'CAFÉ BAR'].map(
      (room) => parse('message', JSON.stringify({ ...join, room }), config) as { room: string },
    );
    expect(new Set(rooms.map(({ room }) => room))).toEqual(new Set(['café bar']));
  });

  test('half a character in a text becomes a sign for it, so that no JSON of it is broken', () => {
    expect(parse('message', '{"type":"send","room":"a","id":"message-1","text":"a\\ud800b"}', config)).toMatchObject({
      text: 'a\ufffdb',
    });
  });

  test('fields that the protocol does not have are dropped', () => {
    expect(parse('message', JSON.stringify({ ...send, person: 'p-forged', at: 1 }), config)).toEqual(send);
  });
});

test('the fallback needs a key, and a room at least', () => {
  expect(codeOf('send', { ...send, name: 'Ann' })).toBe('bad-message');
  expect(codeOf('events', { rooms: [] })).toBe('bad-message');
  expect(codeOf('events', { rooms: [{ ...join, room: '' }] })).toBe('bad-room');
});

test('the public id does not give the key away, and is the same for the same key', () => {
  expect(personOf('secret-secret-secret')).toBe(personOf('secret-secret-secret'));
  expect(personOf('secret-secret-secret')).not.toContain('secret');
  expect(personOf('secret-secret-secres')).not.toBe(personOf('secret-secret-secret'));
});
