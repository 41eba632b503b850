import { createHash } from 'node:crypto';
import * as v from 'valibot';
import type { Config } from './config.ts';
import {
  type ClientMessage,
  type EventsRequest,
  type RefusalCode,
  roomKey,
  type SendRequest,
  type TypingRequest,
} from './protocol.ts';

/** Something a client sent that cannot be taken. `message` is the sentence that it gets; `room` and `id` say of which message, where they could be read. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  readonly code: RefusalCode;
  readonly retryAfterMs: number | undefined;
  constructor(code: RefusalCode, message: string, retryAfterMs?: number) {
    super(message);
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

const room = v.string();
const key = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{16,64}$/, 'key must be 16 to 64 characters A-Z a-z 0-9 _ -'));
const id = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{8,64}$/, 'id must be 8 to 64 characters A-Z a-z 0-9 _ -'));
const offset = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(Number.MAX_SAFE_INTEGER));
const position = v.object({ epoch: v.pipe(v.string(), v.maxLength(64)), offset });

const join = v.object({
  type: v.literal('join'),
  room,
  name: v.string(),
  key: v.optional(key),
  since: v.optional(position),
});
const send = v.object({ type: v.literal('send'), room, id, text: v.string() });
const typing = v.object({ type: v.literal('typing'), room, typing: v.boolean() });
const clientMessage = v.variant('type', [
  join,
  send,
  typing,
  v.object({ type: v.literal('leave'), room }),
  v.object({ type: v.literal('ping'), n: offset }),
]);
const author = { name: v.string(), key };

const SHAPES = {
  message: clientMessage,
  events: v.object({ rooms: v.pipe(v.array(join), v.minLength(1)) }),
  send: v.object({ ...send.entries, ...author }),
  typing: v.object({ ...typing.entries, ...author }),
};
type Shapes = { message: ClientMessage; events: EventsRequest; send: SendRequest; typing: TypingRequest };

/**
 * One message or request body of the protocol, with room and name in the form in which they are compared.
 *
 * @throws RefusedError  bad-message, bad-room, bad-name, message-too-large
 */
export function parse<Shape extends keyof Shapes>(shape: Shape, json: string, config: Config): Shapes[Shape] {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    throw new RefusedError('bad-message', 'This is not JSON.');
  }
  const result = v.safeParse(SHAPES[shape] as unknown as v.GenericSchema<unknown, Shapes[Shape]>, value);
  if (!result.success) {
    const [issue] = result.issues;
    throw new RefusedError('bad-message', `${v.getDotPath(issue) ?? 'The message'}: ${issue.message}.`);
  }
  return normalise(result.output, config);
}

function normalise<T>(message: T, config: Config): T {
  const out = { ...message } as Record<string, unknown>;
  if (typeof out.room === 'string') out.room = roomName(out.room, config);
  if (typeof out.name === 'string') out.name = personName(out.name, config);
  if (typeof out.text === 'string') out.text = messageText(out.text, config);
  if (Array.isArray(out.rooms)) out.rooms = out.rooms.map((each) => normalise(each, config));
  return out as T;
}

function roomName(given: string, { roomCharacters }: Config): string {
  const name = roomKey(given);
  if (name === '' || [...name].length > roomCharacters) {
    throw new RefusedError('bad-room', `A room's name has 1 to ${roomCharacters} characters.`);
  }
  if (!/^[\p{L}\p{M}\p{N} _.-]+$/u.test(name)) {
    throw new RefusedError('bad-room', "A room's name is made of letters, digits, spaces and _ . - alone.");
  }
  return name;
}

/**
 * Names print as they are and change nothing around them: no control characters, and none that turn the direction of what
 * follows (U+202A–202E, U+2066–2069), which are format characters like those of joined emoji and Persian.
 */
function personName(given: string, { nameCharacters }: Config): string {
  const name = given.normalize('NFC').trim().replace(/\s+/gu, ' ');
  if (name === '' || [...name].length > nameCharacters) {
    throw new RefusedError('bad-name', `A name has 1 to ${nameCharacters} characters.`);
  }
  if (/[\p{Cc}\p{Cs}\p{Co}\p{Cn}\u2028-\u202e\u2066-\u2069]/u.test(name) || !/[\p{L}\p{N}\p{S}\p{P}]/u.test(name)) {
    throw new RefusedError('bad-name', 'The name has characters that do not print.');
  }
  return name;
}

function messageText(text: string, { messageBytes }: Config): string {
  if (Buffer.byteLength(text) > messageBytes) {
    throw new RefusedError('message-too-large', `A message has at most ${messageBytes} bytes.`);
  }
  if (text.trim() === '') throw new RefusedError('bad-message', 'The message is empty.');
  return text.replace(/\p{Cs}/gu, '\ufffd');
}

/** The public id of whoever holds the key: the same in every tab, and nobody else can take it. */
export const personOf = (secret: string): string =>
  `p-${createHash('sha256').update(secret).digest('base64url').slice(0, 16)}`;
