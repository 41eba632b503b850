/** Clients of the chat as nobody should write them: the bytes of each, made by fast-check. */
import fc from 'fast-check';

export interface FuzzedClient {
  readonly kind: Kind;
  /** What is written, and with what pause between the pieces: all at once where there is none. */
  readonly pieces: readonly Buffer[];
  /** What the service does, at the latest after the pieces: it refuses each message and goes on, closes with one of these codes, or waits for more. */
  readonly ends: 'refused' | 'waits' | readonly number[];
}

const KINDS = [
  'JSON of no message',
  'a message with a wrong part',
  'keys of every object',
  'deep JSON',
  'no JSON',
  'wrong UTF-8',
  'binary',
  'too long',
  'too long in fragments',
  'a length of 8 EiB',
  'not masked',
  'reserved bits',
  'unknown opcode',
  'a fragment of nothing',
  'a message within a message',
  'a long ping',
  'a close with a wrong code',
  'half a frame',
  'a flood',
  'noise',
] as const;
export type Kind = (typeof KINDS)[number];

const TEXT = 1;

/** One WebSocket frame, or what claims to be one (RFC 6455, 5.2). */
export function frame(
  payload: Buffer | string,
  {
    opcode = TEXT,
    fin = true,
    reserved = 0,
    masked = true,
    length,
  }: { opcode?: number; fin?: boolean; reserved?: number; masked?: boolean; length?: bigint } = {},
): Buffer {
  const body = Buffer.from(payload);
  const size = length ?? BigInt(body.length);
  const head = Buffer.alloc(size < 126n ? 2 : size < 65536n ? 4 : 10);
  head[0] = (fin ? 0x80 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 0x80 : 0) | (size < 126n ? Number(size) : size < 65536n ? 126 : 127);
  if (head.length === 4) head.writeUInt16BE(Number(size), 2);
  if (head.length === 10) head.writeBigUInt64BE(size, 2);
  if (!masked) return Buffer.concat([head, body]);
  const mask = Buffer.from([0x11, 0x22, 0x33, 0x44]);
  return Buffer.concat([head, mask, body.map((byte, index) => byte ^ (mask[index % 4] ?? 0))]);
}

/** Of the default CHAT_MESSAGE_BYTES: six bytes for a character, and the rest of the message. */
const LONGEST = 6 * 4096 + 1024;

const bytes = (minLength: number, maxLength: number) =>
  fc.uint8Array({ minLength, maxLength }).map((array) => Buffer.from(array));
const wrongPart = fc.constantFrom<Record<string, unknown>>(
  { type: 'join', room: 7, name: 'Ann' },
  { type: 'join', room: '', name: 'Ann' },
  { type: 'join', room: 'a/b', name: 'Ann' },
  { type: 'join', room: 'x'.repeat(65), name: 'Ann' },
  { type: 'join', room: 'lobby', name: '\u202eAnn' },
  { type: 'join', room: 'lobby', name: 'Ann', key: 'short' },
  { type: 'join', room: 'lobby', name: 'Ann', since: { epoch: 'e', offset: -1 } },
  { type: 'join', room: 'lobby', name: 'Ann', since: { epoch: 'e', offset: 2 ** 53 } },
  { type: 'send', room: 'lobby', id: 'message-1', text: 'not joined' },
  { type: 'send', room: 'lobby', id: '../../etc', text: 'x' },
  { type: 'send', room: 'lobby', id: 'message-1', text: 'x'.repeat(4097) },
  { type: 'ping', n: 'one' },
  { type: 'no such thing' },
);

const of = (
  kind: Kind,
  ends: FuzzedClient['ends'],
  pieces: fc.Arbitrary<readonly Buffer[]>,
): fc.Arbitrary<FuzzedClient> => pieces.map((each) => ({ kind, ends, pieces: each }));

const BY_KIND: Record<Kind, fc.Arbitrary<FuzzedClient>> = {
  'JSON of no message': of(
    'JSON of no message',
    'refused',
    fc.array(
      fc.json().map((text) => frame(text)),
      { minLength: 1, maxLength: 5 },
    ),
  ),
  'a message with a wrong part': of(
    'a message with a wrong part',
    'refused',
    wrongPart.map((message) => [frame(JSON.stringify(message))]),
  ),
  'keys of every object': of(
    'keys of every object',
    'refused',
    fc
      .constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty')
      .map((key) => [frame(`{"type":"${key}"}`), frame(`{"${key}":{"type":"join"},"room":"${key}"}`)]),
  ),
  'deep JSON': of(
    'deep JSON',
    'refused',
    fc.integer({ min: 1000, max: LONGEST }).map((depth) => [frame('['.repeat(depth))]),
  ),
  'no JSON': of(
    'no JSON',
    'refused',
    fc.string().map((text) => [frame(`{${text}`)]),
  ),
  'wrong UTF-8': of(
    'wrong UTF-8',
    [1007],
    bytes(0, 50).map((rest) => [frame(Buffer.concat([Buffer.from([0xff]), rest]))]),
  ),
  binary: of(
    'binary',
    'refused',
    bytes(0, 500).map((payload) => [frame(payload, { opcode: 2 })]),
  ),
  'too long': of(
    'too long',
    [1009],
    fc.integer({ min: LONGEST + 1, max: 300_000 }).map((length) => [frame('x'.repeat(length))]),
  ),
  'too long in fragments': of(
    'too long in fragments',
    [1009],
    fc
      .integer({ min: 10, max: 1000 })
      .map((size) => [
        frame('x'.repeat(size), { fin: false }),
        ...Array.from({ length: Math.ceil(LONGEST / size) + 1 }, () =>
          frame('x'.repeat(size), { fin: false, opcode: 0 }),
        ),
      ]),
  ),
  'a length of 8 EiB': of('a length of 8 EiB', [1009], fc.constant([frame('x', { length: 2n ** 63n - 1n })])),
  'not masked': of('not masked', [1002], fc.constant([frame('{"type":"ping","n":1}', { masked: false })])),
  'reserved bits': of(
    'reserved bits',
    [1002],
    fc.integer({ min: 1, max: 7 }).map((reserved) => [frame('x', { reserved })]),
  ),
  'unknown opcode': of(
    'unknown opcode',
    [1002],
    fc.constantFrom(3, 4, 5, 6, 7, 11, 12, 13, 14, 15).map((opcode) => [frame('x', { opcode })]),
  ),
  'a fragment of nothing': of('a fragment of nothing', [1002], fc.constant([frame('x', { opcode: 0 })])),
  'a message within a message': of(
    'a message within a message',
    [1002],
    fc.constant([frame('x', { fin: false }), frame('y')]),
  ),
  'a long ping': of(
    'a long ping',
    [1002],
    fc.integer({ min: 126, max: 1000 }).map((length) => [frame('x'.repeat(length), { opcode: 9 })]),
  ),
  'a close with a wrong code': of(
    'a close with a wrong code',
    [1002],
    fc
      .constantFrom(0, 999, 1004, 1005, 1006, 1015, 2999, 65535)
      .map((code) => [frame(Buffer.from([code >> 8, code & 255]), { opcode: 8 })]),
  ),
  'half a frame': of(
    'half a frame',
    'waits',
    fc.integer({ min: 1, max: LONGEST }).map((length) => [frame('x'.repeat(length)).subarray(0, -1)]),
  ),
  // 1008 after 200 refusals; each of them is told.
  'a flood': of(
    'a flood',
    [1008],
    fc
      .integer({ min: 400, max: 800 })
      .map((count) => [Buffer.concat(Array.from({ length: count }, () => frame('{"type":"ping","n":1}')))]),
  ),
  noise: of(
    'noise',
    [1002],
    bytes(1, 2000).map((random) => [Buffer.concat([Buffer.from([0x70]), random])]),
  ),
};

export const fuzzedClient: fc.Arbitrary<FuzzedClient> = fc.oneof(...Object.values(BY_KIND));

export function missingKinds(clients: readonly FuzzedClient[]): Kind[] {
  return KINDS.filter((kind) => !clients.some((client) => client.kind === kind));
}
