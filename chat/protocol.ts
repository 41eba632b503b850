/**
 * What the chat service and its clients say to each other.
 *
 * Over a WebSocket (`/ws/`) each message is one text frame of JSON. Where the upgrade is refused on the way, the same server
 * messages come as server-sent events (`POST /events`) and the client's go up as `POST /send` and `POST /typing`.
 *
 * **Streams.** Each room is a stream: its messages are numbered 1, 2, 3, … within an epoch. The pair (epoch, offset) is the
 * only thing that a client keeps to come back: it joins with the last pair that it has seen, and gets what it missed
 * (`recovered: "complete"`) or is told that the history was lost (`recovered: "lost"`). Offsets arrive without a gap and without a
 * repetition while the epoch stays; a client that meets an offset that it already has drops the message.
 *
 * **Sending.** The client makes the message's id and keeps the message until it is acknowledged. What was not acknowledged is
 * sent again, with the same id, after a reconnect: the service numbers an id of one person once, whatever instance it reaches.
 */

/** A place in a room's stream. `offset` 0 is the place before the first message. */
export type Position = { readonly epoch: string; readonly offset: number };

/** One message of a room. `at` is the service's clock, milliseconds since 1970. `person` is public, made from the sender's key. */
export type ChatMessage = {
  readonly offset: number;
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly text: string;
  readonly at: number;
};

/** The form in which rooms are compared and named: however the same letters were typed, they are the same room. */
export const roomKey = (name: string): string => name.normalize('NFC').toLowerCase().trim().replace(/\s+/gu, ' ');

/** Somebody who is in a room, with however many tabs or devices (`tabs` ≥ 1) on whichever instances. */
export type Member = { readonly person: string; readonly name: string; readonly tabs: number };

// ---------------------------------------------------------------------------------------------------- client to service

/**
 * Enter a room, or enter it again where the last connection left off.
 *
 * `key` is a secret that the client made (16 to 64 characters `A-Z a-z 0-9 _ -`) and keeps: the tabs of one person share it.
 * Without one, each connection is a person of its own. `since` is the last position that the client has seen.
 *
 * @example {"type":"join","room":"lobby","name":"Ann","key":"q8S0…"}
 * @example {"type":"join","room":"lobby","name":"Ann","since":{"epoch":"x7Kq","offset":41}}
 */
export type Join = {
  readonly type: 'join';
  readonly room: string;
  readonly name: string;
  readonly key?: string | undefined;
  readonly since?: Position | undefined;
};

/** @example {"type":"leave","room":"lobby"} */
export type Leave = { readonly type: 'leave'; readonly room: string };

/**
 * Say something in a room that was joined. `id`: 8 to 64 characters `A-Z a-z 0-9 _ -`, new for each message, the same when sent again.
 *
 * @example {"type":"send","room":"lobby","id":"4f1c2b7e-0001","text":"hello"}
 */
export type Send = { readonly type: 'send'; readonly room: string; readonly id: string; readonly text: string };

/** @example {"type":"typing","room":"lobby","typing":true} */
export type Typing = { readonly type: 'typing'; readonly room: string; readonly typing: boolean };

/** The client's half of the heartbeat, and how it measures latency. @example {"type":"ping","n":7} */
export type Ping = { readonly type: 'ping'; readonly n: number };

export type ClientMessage = Join | Leave | Send | Typing | Ping;

/** Body of `POST /events`: opens the stream of server-sent events. @example {"rooms":[{"type":"join","room":"lobby","name":"Ann"}]} */
export type EventsRequest = { readonly rooms: readonly Join[] };

/**
 * Body of `POST /send`: any instance takes it, whichever holds the event stream; answers `Ack` (200) or `Refusal`.
 *
 * @example {"type":"send","room":"lobby","id":"4f1c2b7e-0001","text":"hello","name":"Ann","key":"q8S0…"}
 */
export type SendRequest = Send & { readonly name: string; readonly key: string };

/** Body of `POST /typing`; answers 204 or `Refusal`. @example {"type":"typing","room":"lobby","typing":true,"name":"Ann","key":"q8S0…"} */
export type TypingRequest = Typing & { readonly name: string; readonly key: string };

// ---------------------------------------------------------------------------------------------------- service to client

/**
 * First on every connection: who answers, and what it sees of the client. `address` is null where the service was told none, and
 * `trusted` says whether nginx vouches for it (it does not before and during the switch).
 *
 * @example {"type":"welcome","protocol":1,"instance":"chat-1","address":"198.51.100.7","trusted":true,"scheme":"https",
 *           "heartbeatMs":25000,"storage":"ok","limits":{"messageBytes":4096,"nameCharacters":40,"roomCharacters":64}}
 */
export type Welcome = {
  readonly type: 'welcome';
  readonly protocol: 1;
  readonly instance: string;
  readonly address: string | null;
  readonly trusted: boolean;
  readonly scheme: 'http' | 'https' | null;
  /** How often the service pings, in ms; a client that hears nothing for twice as long should reconnect. 0: it does not ping. */
  readonly heartbeatMs: number;
  readonly storage: StorageState;
  readonly limits: { readonly messageBytes: number; readonly nameCharacters: number; readonly roomCharacters: number };
};

/**
 * Answer to `join`. `history` is in order and ends at `offset`, unless `more`: then `history` messages follow until one without.
 *
 * - `new`: no `since` was given; `history` holds the newest messages.
 * - `complete`: `history` holds exactly what came after `since`.
 * - `lost`: what came after `since` is not all there any more; `history` holds the newest messages, and there is a gap before.
 *
 * @example {"type":"joined","room":"lobby","epoch":"x7Kq","offset":42,"recovered":"complete","more":false,"person":"p-5e884898",
 *           "history":[{"offset":42,"id":"4f1c2b7e-0001","person":"p-5e884898","name":"Ann","text":"hello","at":1790000000000}],
 *           "members":[{"person":"p-5e884898","name":"Ann","tabs":1}],"memberCount":1}
 */
export type Joined = {
  readonly type: 'joined';
  readonly room: string;
  readonly epoch: string;
  readonly offset: number;
  readonly recovered: 'new' | 'complete' | 'lost';
  readonly history: readonly ChatMessage[];
  readonly more: boolean;
  /** The client's own public id in this room. */
  readonly person: string;
  /** At most 200 of those present; `memberCount` counts all. */
  readonly members: readonly Member[];
  readonly memberCount: number;
};

/** @example {"type":"history","room":"lobby","epoch":"x7Kq","offset":642,"history":[…],"more":false} */
export type History = {
  readonly type: 'history';
  readonly room: string;
  readonly epoch: string;
  readonly offset: number;
  readonly history: readonly ChatMessage[];
  readonly more: boolean;
};

/**
 * A message, to everyone in the room, its sender too.
 *
 * @example {"type":"message","room":"lobby","epoch":"x7Kq","offset":42,"id":"4f1c2b7e-0001","person":"p-5e884898","name":"Ann",
 *           "text":"hello","at":1790000000000}
 */
export type Message = ChatMessage & { readonly type: 'message'; readonly room: string; readonly epoch: string };

/**
 * To the sender alone: the message is kept and has this place. May come before or after the message itself; comes again
 * with the same place when the message is sent again.
 *
 * @example {"type":"ack","room":"lobby","id":"4f1c2b7e-0001","epoch":"x7Kq","offset":42}
 */
export type Ack = Position & { readonly type: 'ack'; readonly room: string; readonly id: string };

/**
 * Who came and went since the last one; a second tab changes `tabs` alone and comes under `joined`.
 *
 * @example {"type":"presence","room":"lobby","joined":[{"person":"p-0b14d501","name":"Bo","tabs":1}],"left":[],"memberCount":2}
 */
export type Presence = {
  readonly type: 'presence';
  readonly room: string;
  readonly joined: readonly Member[];
  readonly left: readonly string[];
  readonly memberCount: number;
};

/** Somebody else types, or stopped. Not repeated: forget it after 6 s. @example {"type":"typing","room":"lobby","person":"p-0b14d501","name":"Bo","typing":true} */
export type TypingNotice = {
  readonly type: 'typing';
  readonly room: string;
  readonly person: string;
  readonly name: string;
  readonly typing: boolean;
};

/** @example {"type":"pong","n":7,"at":1790000000000} */
export type Pong = { readonly type: 'pong'; readonly n: number; readonly at: number };

/**
 * Whether messages can be kept. While `away`, what is sent is refused with `storage-away`; when `ok` comes, join the rooms that could not
 * be joined and send again what was not acknowledged. Nothing else is lost: what others said meanwhile follows by itself.
 *
 * @example {"type":"status","storage":"away"}
 */
export type Status = { readonly type: 'status'; readonly storage: StorageState };
export type StorageState = 'ok' | 'away';

/**
 * The stream of a room was lost at the service (its store came back empty): a new epoch begins, and what was said between is not
 * to be had. @example {"type":"reset","room":"lobby","epoch":"Zp2m","offset":0}
 */
export type Reset = Position & { readonly type: 'reset'; readonly room: string };

/**
 * The service is about to close this connection (WebSocket close code 1012), and wants it back after `reconnectAfterMs`, which differs from
 * client to client so that they do not all come at once. @example {"type":"closing","reconnectAfterMs":2317}
 */
export type Closing = { readonly type: 'closing'; readonly reconnectAfterMs: number };

/** Why something was refused. `message` is a sentence for people; `code` is for programs and does not change. */
export const REFUSALS = {
  'bad-message': 'not JSON, or not a message of this protocol',
  'message-too-large': 'the frame, the body or the text has more bytes than allowed',
  'bad-name': 'the name is empty, too long or has characters that do not print',
  'bad-room': 'the room is empty, too long or has other characters than letters, digits, space, `_`, `-` and `.`',
  'not-joined': 'the room has to be joined before',
  'too-many-rooms': 'this connection is in as many rooms as one may be',
  'rate-limited': 'more messages than allowed; `retryAfterMs` says when the next one is taken',
  'too-many-connections': 'this address, or all of them together, has as many connections as allowed',
  'connection-rate-limited': 'this address opens connections faster than allowed',
  'bad-origin': 'the page that opened the connection belongs to another site',
  'storage-away': 'the store does not answer; wait for `status`, then send again',
  draining: 'this instance is about to stop; connect again',
} as const;
export type RefusalCode = keyof typeof REFUSALS;

/**
 * Something was refused: of a message (`room`, `id` say which), or of the whole connection (then as the body of the HTTP answer).
 *
 * @example {"type":"error","code":"rate-limited","message":"Too many messages; try again in 400 ms.","room":"lobby",
 *           "id":"4f1c2b7e-0001","retryAfterMs":400}
 */
export type Refusal = {
  readonly type: 'error';
  readonly code: RefusalCode;
  readonly message: string;
  readonly room?: string | undefined;
  readonly id?: string | undefined;
  readonly retryAfterMs?: number | undefined;
};

export type ServerMessage =
  | Welcome
  | Joined
  | History
  | Message
  | Ack
  | Presence
  | TypingNotice
  | Pong
  | Status
  | Reset
  | Closing
  | Refusal;

/** Answer of `GET /whoami`: what nginx told about this request. `instance` is the name of the machine that answers. */
export type WhoAmI = {
  readonly address: string | null;
  readonly trusted: boolean;
  readonly scheme: 'http' | 'https' | null;
  readonly instance: string;
};
